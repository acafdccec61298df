namespace OciOstree.Formats.Keyfile;

/// <summary>How much something is wanted: not at all, where it can be had, or at any price.</summary>
public enum Tristate
{
    No,
    Maybe,
    Yes,
}
