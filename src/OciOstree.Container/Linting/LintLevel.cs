namespace OciOstree.Container;

/// <summary>How bad it is what a lint looks for.</summary>
public enum LintLevel
{
    /// <summary>The image cannot be imported or deployed, or is sure to fail on a machine.</summary>
    Fatal,

    /// <summary>Something gets lost, or will surprise.</summary>
    Warning,
}
