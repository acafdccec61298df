namespace OciOstree.Container;

/// <summary>Package managers whose databases are read.</summary>
public enum PackageKind
{
    /// <summary>Debian's dpkg.</summary>
    Deb,

    Rpm,

    /// <summary>Alpine's.</summary>
    Apk,

    /// <summary>Arch's.</summary>
    Pacman,
}
