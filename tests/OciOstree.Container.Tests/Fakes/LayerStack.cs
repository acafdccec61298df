using System.Text;
using OciOstree.Formats.Tar;

namespace OciOstree.Container.Tests;

/// <summary>
/// Layers as no single builder makes them, but as each of them might: things of every kind replaced by, hidden by and linked to things of every kind, told in
/// any order that a runtime understands. The same seed gives the same layers.
/// </summary>
internal sealed class LayerStack
{
    private static readonly string[] Tops = ["usr", "usr", "usr", "etc", "etc", "usr/etc", "var", "opt"];
    private static readonly string[] Names = ["a", "b", "c", "d", "e", ".hidden", "with space", "日本", new string('n', 120), "wh.x"];
    private static readonly uint[] FileModes = [0x1a4, 0x1a4, 0x1ed, 0x180, 0x9ed /* 04755 */, 0x5ed /* 02755 */, 0];
    // Not 02755: what is made in such a directory inherits from it where a reader makes it on a file system.
    private static readonly uint[] DirectoryModes = [0x1ed, 0x1ed, 0x1c0, 0x3ff /* 01777 */];
    private static readonly int[] Owners = [0, 0, 0, 5, 1000, 0x200000, 0x7ffffffe];

    private readonly Random random;

    // What the layers so far show, and which of it the present one brought: kinds are 'd', 'f', 'l' and 'p'.
    private readonly SortedDictionary<string, char> view;
    private HashSet<string> own = [];
    private readonly HashSet<string> linked = new(StringComparer.Ordinal);
    private readonly HashSet<string> hidden = new(StringComparer.Ordinal);
    private List<(TarEntry Entry, byte[] Content, bool IsLoose)> entries = [];

    /// <param name="beneath">What lower layers show already: paths, and whether they are directories (d), files (f), links (l) or pipes (p).</param>
    public LayerStack(int seed, IEnumerable<KeyValuePair<string, char>>? beneath = null)
    {
        random = new Random(seed);
        view = new SortedDictionary<string, char>(StringComparer.Ordinal);
        foreach (var (path, kind) in beneath ?? [])
        {
            view[path] = kind;
        }
    }

    /// <summary>The next layer, as a tar.</summary>
    public byte[] Next()
    {
        own = new(StringComparer.Ordinal);
        entries = [];
        linked.Clear();
        hidden.Clear();
        for (var count = random.Next(3, 25); count > 0; count--)
        {
            Change();
        }

        return MemoryImage.Tar(tar =>
        {
            foreach (var (entry, content, _) in Shuffled())
            {
                tar.Write(entry, content);
            }
        });
    }

    private void Change()
    {
        switch (random.Next(12))
        {
            case 0 or 1:
                Put(NewPath(), 'f');
                break;
            case 2:
                Put(NewPath(), 'd');
                break;
            case 3:
                Put(NewPath(), 'l');
                break;
            case 4:
                Link();
                break;
            case 5 or 6:
                Hide();
                break;
            case 7:
                Empty();
                break;
            case 10:
                Put(NewPath(), 'p');
                break;
            case 8:
                Describe();
                break;
            case 9:
                // Replaced and said so twice: by a whiteout, and by what comes instead.
                if (Pick(path => !IsTop(path) && !HasOwn(path)) is { } path)
                {
                    Whiteout(path);
                    RemoveFromView(path, false);
                    Put(path, "fdl"[random.Next(3)]);
                }

                break;
            default:
                // Readers differ about a directory that nothing but a whiteout asks for: overlay file systems then have it.
                var missing = NewPath();
                if (!view.ContainsKey(missing) && view.ContainsKey(missing[..missing.LastIndexOf('/')]))
                {
                    Add(WhiteoutOf(missing), TarEntryType.File, isLoose: true);
                }

                break;
        }
    }

    private void Put(string path, char kind)
    {
        if (IsTop(path) && kind != 'd')
        {
            return;
        }

        // A layer that has files beneath a directory and then a file in its place, or a file and then a directory, is none that all readers agree about.
        if (HasOwn(path) && (kind == 'd') != (view.GetValueOrDefault(path) == 'd'))
        {
            return;
        }

        RemoveFromView(path, kind == 'd' && view.GetValueOrDefault(path) == 'd');
        Parents(path, areDescribed: kind == 'p');
        switch (kind)
        {
            case 'f':
                Add(path, TarEntryType.File, content: $"content {random.Next()}");
                break;
            case 'p':
                Add(path, TarEntryType.Fifo);
                break;
            case 'l':
                // Some readers look for what a whiteout hides where a link of its own layer leads.
                entries.RemoveAll(entry => entry.IsLoose && Plain(entry.Entry).StartsWith(path + "/", StringComparison.Ordinal));
                Add(path, TarEntryType.SymbolicLink, target: random.Next(3) switch { 0 => "../" + Names[0], 1 => "/etc", _ => new string('t', 130) });
                break;
            default:
                Add(path, TarEntryType.Directory);
                break;
        }

        view[path] = kind;
        own.Add(path);
    }

    private void Link()
    {
        if (Pick(path => view[path] == 'f' || (view[path] == 'p' && own.Contains(path))) is not { } target)
        {
            return;
        }

        var path = NewPath();
        if (path == target || IsTop(path) || HasOwn(path) || path.StartsWith(target + "/", StringComparison.Ordinal) || target.StartsWith(path + "/", StringComparison.Ordinal))
        {
            return;
        }

        RemoveFromView(path, false);
        Parents(path, areDescribed: view[target] == 'p');
        Add(path, TarEntryType.HardLink, target: Spelled(target));
        view[path] = view[target];
        own.Add(path);
        // What others link to is not replaced in the same layer: which of the two they mean, only the order would tell.
        own.Add(target);
        linked.Add(target);
    }

    private void Hide()
    {
        var withTops = random.Next(4) == 0;
        if (Pick(path => (withTops || !IsTop(path)) && !HasOwn(path)) is { } path)
        {
            Whiteout(path);
            RemoveFromView(path, false);
        }
    }

    private void Whiteout(string path) => Add(WhiteoutOf(path), TarEntryType.File, isLoose: true);

    private void Empty()
    {
        var withTops = random.Next(4) == 0;
        if (Pick(path => view[path] == 'd' && (withTops || !IsTop(path)) && !linked.Any(target => target.StartsWith(path + "/", StringComparison.Ordinal))) is not { } directory)
        {
            return;
        }

        var isLoose = !own.Contains(directory);
        Add(directory, TarEntryType.Directory, isLoose: isLoose);
        Add(directory + "/.wh..wh..opq", TarEntryType.File, isLoose: isLoose);
        own.Add(directory);
        // Whether a directory that only leads to others is that of the layer beneath, for some readers the order tells.
        foreach (var path in Beneath(directory).Where(path => view[path] == 'd' && HasOwn(path) && own.Add(path)).ToArray())
        {
            Add(path, TarEntryType.Directory, isLoose: true);
        }

        foreach (var path in Beneath(directory).Where(path => !HasOwn(path)).ToArray())
        {
            hidden.Add(path);
            view.Remove(path);
        }
    }

    private void Describe()
    {
        if (Pick(path => view[path] == 'd') is { } path)
        {
            Add(path, TarEntryType.Directory, isLoose: !own.Contains(path));
            own.Add(path);
        }
    }

    // Directories that nobody described come about by what is in them; not every builder describes each.
    // Only of what is left out nothing else says that its directory was there.
    private void Parents(string path, bool areDescribed = false)
    {
        for (var slash = path.IndexOf('/'); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            var parent = path[..slash];
            if (!view.TryGetValue(parent, out var kind) || kind != 'd')
            {
                if (kind != 0 || hidden.Contains(parent) || areDescribed || random.Next(2) == 0)
                {
                    Add(parent, TarEntryType.Directory);
                }

                view[parent] = 'd';
                own.Add(parent);
            }
        }
    }

    private string NewPath()
    {
        while (true)
        {
            var path = Tops[random.Next(Tops.Length)];
            if (path == "usr/etc")
            {
                // Both become one directory: readers know nothing of it, so no name is in both.
                path += "/of-usr-" + Names[random.Next(3)];
            }

            for (var depth = random.Next(1, 5); depth > 0; depth--)
            {
                path += "/" + Names[random.Next(random.Next(2) == 0 ? 3 : Names.Length)];
            }

            // Nothing is put beneath a file or a link, nor over what this layer links to or has brought as something else.
            var isBlocked = linked.Contains(path) || linked.Any(target => target.StartsWith(path + "/", StringComparison.Ordinal));
            for (var slash = path.IndexOf('/'); slash >= 0; slash = path.IndexOf('/', slash + 1))
            {
                isBlocked |= view.TryGetValue(path[..slash], out var kind) && kind != 'd';
            }

            if (!isBlocked && path != "usr/etc" && (!path.StartsWith("usr/etc/", StringComparison.Ordinal) || path.StartsWith("usr/etc/of-usr-", StringComparison.Ordinal)))
            {
                return path;
            }
        }
    }

    private string? Pick(Func<string, bool> wanted)
    {
        string[] paths = [.. view.Keys.Where(path => !linked.Contains(path) || view[path] is 'f' or 'p').Where(wanted)];
        return paths.Length == 0 ? null : paths[random.Next(paths.Length)];
    }

    private void RemoveFromView(string path, bool staysDirectory)
    {
        if (!staysDirectory)
        {
            foreach (var inner in Beneath(path).ToArray())
            {
                hidden.Add(inner);
                view.Remove(inner);
            }

            hidden.Add(path);
            view.Remove(path);
        }
    }

    private IEnumerable<string> Beneath(string path) => view.Keys.Where(other => other.StartsWith(path + "/", StringComparison.Ordinal));

    private bool HasOwn(string path) => own.Contains(path) || own.Any(other => other.StartsWith(path + "/", StringComparison.Ordinal));

    private static bool IsTop(string path) => !path.Contains('/') || path == "usr/etc";

    private static string WhiteoutOf(string path) => path.Insert(path.LastIndexOf('/') + 1, ".wh.");

    private void Add(string path, TarEntryType type, string content = "", string target = "", bool isLoose = false)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        var isPlain = path.Contains(".wh.", StringComparison.Ordinal) || path is "etc" or "usr/etc" || random.Next(2) == 0;
        entries.Add((new TarEntry
        {
            Name = Encoding.UTF8.GetBytes(Spelled(path) + (type == TarEntryType.Directory && random.Next(2) == 0 ? "/" : "")),
            Type = type,
            Mode = type switch
            {
                TarEntryType.Directory => isPlain ? 0x1ed : DirectoryModes[random.Next(DirectoryModes.Length)],
                TarEntryType.SymbolicLink => 0x1b6,
                _ => isPlain ? 0x1a4 : FileModes[random.Next(FileModes.Length)],
            },
            Uid = isPlain ? 0 : Owners[random.Next(Owners.Length)],
            Gid = isPlain ? 0 : Owners[random.Next(Owners.Length)],
            Size = bytes.Length,
            ModifiedSeconds = random.Next(2) == 0 ? 0 : 1_700_000_000,
            LinkName = Encoding.UTF8.GetBytes(target),
            Xattrs = isPlain || type is not (TarEntryType.File or TarEntryType.Directory) ? [] : Xattrs(type),
        }, bytes, isLoose));
    }

    private TarXattr[] Xattrs(TarEntryType type) => random.Next(4) switch
    {
        0 => [new TarXattr([.. "user.binary"u8], [0, 255, 10, (byte)'=', (byte)random.Next(256)])],
        1 when type == TarEntryType.File => [new TarXattr([.. "security.capability"u8], [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])],
        _ => [],
    };

    private static string Plain(TarEntry entry) => string.Join('/', Encoding.UTF8.GetString(entry.Name).Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != "."));

    private string Spelled(string path) => random.Next(6) switch { 0 => "./" + path, 1 => "/" + path, 2 => path.Replace("/", "//", StringComparison.Ordinal), _ => path };

    // What does not depend on order goes anywhere: whiteouts in front of what they do not hide or behind it, directories behind what is in them.
    private List<(TarEntry Entry, byte[] Content, bool IsLoose)> Shuffled()
    {
        List<(TarEntry, byte[], bool)> ordered = [.. entries.Where(entry => !entry.IsLoose)];
        foreach (var entry in entries.Where(entry => entry.IsLoose))
        {
            ordered.Insert(random.Next(ordered.Count + 1), entry);
        }

        return ordered;
    }
}
