namespace OciOstree.Registry;

/// <summary>
/// Where an image is: a transport and, in the transport's own syntax, a name. The name is kept as given; what it means is
/// settled when the image is opened.
/// </summary>
/// <param name="Transport">The kind of place.</param>
/// <param name="Name">Without the transport and without the <c>//</c> of <c>docker://</c>.</param>
public sealed record ImageReference(Transport Transport, string Name)
{
    /// <summary>Reads <c>transport:name</c>; <c>docker://name</c> and <c>registry:name</c> mean the same.</summary>
    /// <exception cref="RegistryException">Unknown transport or empty name.</exception>
    public static ImageReference Parse(string text)
    {
        var colon = text.IndexOf(':');
        if (colon < 0)
        {
            throw new RegistryException($"invalid image reference '{Printable.Clip(text)}': want TRANSPORT:NAME, such as docker://host/name:tag or oci:directory:tag");
        }

        var name = text[(colon + 1)..];
        var transport = text[..colon] switch
        {
            "registry" or "docker" => Transport.Registry,
            "oci" => Transport.Oci,
            "oci-archive" => Transport.OciArchive,
            "dir" => Transport.Dir,
            "docker-archive" => Transport.DockerArchive,
            "docker-daemon" => Transport.DockerDaemon,
            "containers-storage" => Transport.ContainersStorage,
            var other => throw new RegistryException($"unknown transport '{Printable.Clip(other)}' in image reference '{Printable.Clip(text)}'"),
        };
        if (transport == Transport.Registry)
        {
            // docker: needs the slashes; registry: is ostree-ext's spelling and takes the name with or without.
            if (name.StartsWith("//", StringComparison.Ordinal))
            {
                name = name[2..];
            }
            else if (text[0] == 'd')
            {
                throw new RegistryException($"invalid image reference '{Printable.Clip(text)}': want docker://NAME");
            }
        }

        return name.Length > 0
            ? new ImageReference(transport, name)
            : throw new RegistryException($"invalid image reference '{Printable.Clip(text)}': no name");
    }

    /// <summary>The word before the name, as containers/image writes it: <c>docker://</c>, <c>oci:</c>, ….</summary>
    public static string Prefix(Transport transport) => transport switch
    {
        Transport.Registry => "docker://",
        Transport.Oci => "oci:",
        Transport.OciArchive => "oci-archive:",
        Transport.Dir => "dir:",
        Transport.DockerArchive => "docker-archive:",
        Transport.DockerDaemon => "docker-daemon:",
        Transport.ContainersStorage => "containers-storage:",
        _ => throw new ArgumentOutOfRangeException(nameof(transport)),
    };

    public override string ToString() => Prefix(Transport) + Name;
}
