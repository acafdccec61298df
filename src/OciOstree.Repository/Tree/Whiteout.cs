namespace OciOstree.Repository;

/// <summary>How OCI layers say that a name below is hidden (image-spec, layer.md).</summary>
internal static class Whiteout
{
    /// <summary>A file called so, and NAME, hides NAME.</summary>
    public const string Prefix = ".wh.";

    /// <summary>A file of this name hides all that was in its directory.</summary>
    public const string Opaque = ".wh..wh..opq";
}
