namespace OciOstree.Registry;

/// <summary>The kinds of places that an image lives in, as containers/image names them.</summary>
public enum Transport
{
    /// <summary><c>docker://</c>, which <c>registry:</c> also means.</summary>
    Registry,

    /// <summary><c>oci:DIRECTORY[:REF]</c>: an OCI image layout.</summary>
    Oci,

    /// <summary><c>oci-archive:FILE[:REF]</c>: a tar of a layout.</summary>
    OciArchive,

    /// <summary><c>dir:DIRECTORY</c>: manifest and blobs as plain files.</summary>
    Dir,

    /// <summary><c>docker-archive:FILE[:REF]</c>: what <c>docker save</c> writes.</summary>
    DockerArchive,

    /// <summary><c>docker-daemon:NAME</c>: an image held by a Docker-compatible daemon.</summary>
    DockerDaemon,

    /// <summary><c>containers-storage:NAME</c>: podman's and buildah's local images.</summary>
    ContainersStorage,
}
