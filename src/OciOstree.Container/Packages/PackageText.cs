using System.Text;

namespace OciOstree.Container;

/// <summary>The package databases that are text: dpkg's, apk's and pacman's.</summary>
internal static class PackageText
{
    // A line of such a file is a name, a version, at the most a list of dependencies.
    private const int MaxLine = 1 << 20;

    /// <summary>dpkg's <c>status</c>: paragraphs of <c>Key: value</c> lines. Packages that are not installed any more are passed over.</summary>
    /// <exception cref="PackageDatabaseException">It is something else.</exception>
    internal static IEnumerable<Package> ReadDpkg(Stream status)
    {
        string? name = null, version = null, architecture = null;
        var installed = true;
        foreach (var line in Lines(status))
        {
            if (line.Length == 0)
            {
                if (Finish() is { } package)
                {
                    yield return package;
                }
            }
            else if (line[0] is not (' ' or '\t') && line.IndexOf(':') is > 0 and var colon)
            {
                var value = line[(colon + 1)..].Trim();
                switch (line[..colon].ToLowerInvariant())
                {
                    case "package":
                        name = value;
                        break;
                    case "version":
                        version = value;
                        break;
                    case "architecture":
                        architecture = value;
                        break;
                    case "status":
                        // What is wanted, whether something is wrong, what it is: "install ok installed".
                        installed = value.EndsWith(" installed", StringComparison.Ordinal);
                        break;
                }
            }
            else if (line[0] is not (' ' or '\t'))
            {
                throw new PackageDatabaseException($"'{Show(line)}' is no line of a dpkg status file");
            }
        }

        if (Finish() is { } last)
        {
            yield return last;
        }

        Package? Finish()
        {
            var package = installed && name is not null && version is not null ? new Package(PackageKind.Deb, name, version, architecture ?? "") : null;
            (name, version, architecture, installed) = (null, null, null, true);
            return package;
        }
    }

    /// <summary>apk's <c>installed</c>: paragraphs of lines of one letter, a colon and the value.</summary>
    /// <exception cref="PackageDatabaseException">It is something else.</exception>
    internal static IEnumerable<Package> ReadApk(Stream installed)
    {
        string? name = null, version = null, architecture = null;
        foreach (var line in Lines(installed).Append(""))
        {
            if (line.Length == 0)
            {
                if (name is not null && version is not null)
                {
                    yield return new Package(PackageKind.Apk, name, version, architecture ?? "");
                }

                (name, version, architecture) = (null, null, null);
                continue;
            }

            if (line.Length < 2 || line[1] != ':')
            {
                throw new PackageDatabaseException($"'{Show(line)}' is no line of an apk database");
            }

            switch (line[0])
            {
                case 'P':
                    name = line[2..];
                    break;
                case 'V':
                    version = line[2..];
                    break;
                case 'A':
                    architecture = line[2..];
                    break;
            }
        }
    }

    /// <summary>A package's <c>desc</c> in pacman's database: headings like <c>%NAME%</c>, each with its lines beneath.</summary>
    /// <exception cref="PackageDatabaseException">It names no package.</exception>
    internal static Package ReadPacman(Stream desc)
    {
        string? name = null, version = null, architecture = null, heading = null;
        foreach (var line in Lines(desc))
        {
            if (line is ['%', .., '%'])
            {
                heading = line;
                continue;
            }

            switch (heading)
            {
                case "%NAME%":
                    name ??= line;
                    break;
                case "%VERSION%":
                    version ??= line;
                    break;
                case "%ARCH%":
                    architecture ??= line;
                    break;
            }
        }

        return name is { Length: > 0 } && version is { Length: > 0 }
            ? new Package(PackageKind.Pacman, name, version, architecture ?? "")
            : throw new PackageDatabaseException("a description in pacman's database has no name or no version");
    }

    private static IEnumerable<string> Lines(Stream stream)
    {
        using var line = new MemoryStream();
        var buffer = new byte[64 << 10];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            var start = 0;
            for (int end; (end = buffer.AsSpan(start, count - start).IndexOf((byte)'\n')) >= 0; start += end + 1)
            {
                line.Write(buffer, start, end);
                yield return Take(line);
            }

            line.Write(buffer, start, count - start);
            if (line.Length > MaxLine)
            {
                throw new PackageDatabaseException($"a line has more than {MaxLine >> 10} KiB");
            }
        }

        if (line.Length > 0)
        {
            yield return Take(line);
        }
    }

    private static string Take(MemoryStream line)
    {
        var text = Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r');
        line.SetLength(0);
        return text;
    }

    private static string Show(string line) => new([.. line.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);
}
