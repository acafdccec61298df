namespace OciOstree.Container;

/// <summary>What becomes of what layers have in a top-level directory.</summary>
public enum TopLevelRule
{
    /// <summary>It stays where it is.</summary>
    Keep,

    /// <summary>It is left out. Directories that a booting system mounts something on stay, empty.</summary>
    Drop,

    /// <summary>It goes to <c>usr/share/factory/NAME</c>, where <c>tmpfiles.d</c> lines of type <c>C</c> and <c>L</c> look for it.</summary>
    Factory,
}
