using System.Text;

namespace OciOstree.Testing;

/// <summary>
/// Makes directory trees meant to break things: every kind of name, mode, owner, xattr, link and size that an ostree
/// commit can hold. The same seed and shape give the same tree.
/// </summary>
public sealed class TreeBuilder
{
    private static readonly string[] NastyNames =
    [
        "plain", "with space", "tab\there", "new\nline", "-dash", "--", "~tilde", "#hash", "%percent", "back\\slash", "quote'\"", "*star?",
        "..dots", "...", ".hidden", "ünïcödé", "日本語", "🦊", "e\u0301combining", "\u200bzero", "ends.", "Zupper", "zlower", "a", "a.b", "a-b", "a_b", "aa",
        "é", "z~", "\u007fdel", "\u0001control", "name:colon", "wh.not-a-whiteout", new string('x', 255), new string('é', 127) + "y",
    ];

    private static readonly int[] Sizes =
    [
        0, 1, 2, 31, 32, 33, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 8193, 16383, 16384, 16385, 32767, 32768, 32769, 65535, 65536, 65537,
    ];

    private static readonly int[] LargeSizes = [131071, 131072, 131073, 262144, 524287, 1048575, 1048576, 1048577];

    private static readonly uint[] PlainFileModes = [0x1a4 /* 0644 */, 0x1ed /* 0755 */];

    private static readonly uint[] OddFileModes =
    [
        0x000, 0x100 /* 0400 */, 0x180 /* 0600 */, 0x1b6 /* 0666 */, 0x1ff /* 0777 */, 0x9ed /* 04755 */, 0x5ed /* 02755 */, 0xfff /* 07777 */, 0x3a4 /* 01644 */,
        0x924 /* 04444 */, 0x1b4 /* 0664 */, 0x1fd /* 0775 */,
    ];

    private static readonly uint[] OddDirectoryModes = [0x1c0 /* 0700 */, 0x3ff /* 01777 */, 0x5ed /* 02755 */, 0x16d /* 0555 */, 0x1ff /* 0777 */, 0xfff /* 07777 */];

    private static readonly string[] LinkTargets =
    [
        "plain", "dangling", "/absolute/dangling", "..", ".", "a//b", "./a/../b/", "../../../../../../outside", "loop", "with space\n", "日本語", "/", new string('t', 1023),
    ];

    private readonly Random random;
    private readonly TreeShape shape;
    private readonly List<string> directories = [];
    private readonly List<string> files = [];

    private TreeBuilder(int seed, TreeShape shape)
    {
        random = new Random(seed);
        this.shape = shape;
    }

    /// <summary>Makes the tree at <paramref name="root"/>, which must not exist, and returns that path.</summary>
    public static string Build(string root, int seed = 1, TreeShape? shape = null)
    {
        new TreeBuilder(seed, shape ?? new TreeShape()).Make(root);
        return root;
    }

    private void Make(string root)
    {
        AddDirectory(root);
        AddNastyNames(Path.Combine(root, "names"));
        AddSizes(Path.Combine(root, "sizes"));
        AddLinks(Path.Combine(root, "links"));
        AddDeep(Path.Combine(root, "deep"));
        AddWide(Path.Combine(root, "wide"));
        AddDirectory(Path.Combine(root, "empty-directory"));
        AddRandom(root);
        if (shape.Xattrs)
            AddXattrs(Path.Combine(root, "xattrs"));
        if (shape.HardLinks)
            AddHardLinks(Path.Combine(root, "hardlinks"));
        if (shape.OddModes)
            AddOddModes(Path.Combine(root, "modes"));
    }

    private void AddNastyNames(string parent)
    {
        AddDirectory(parent);
        string directoriesParent = Path.Combine(parent, "directories");
        AddDirectory(directoriesParent);
        foreach (string name in NastyNames)
        {
            AddFile(Path.Combine(parent, name), Encoding.UTF8.GetBytes(name));
            AddDirectory(Path.Combine(directoriesParent, name));
        }
    }

    private void AddSizes(string parent)
    {
        AddDirectory(parent);
        foreach (int size in shape.LargeFiles ? [.. Sizes, .. LargeSizes] : Sizes)
            AddFile(Path.Combine(parent, $"size-{size}"), RandomBytes(size));
        AddFile(Path.Combine(parent, "zeros"), new byte[100_000]);
    }

    private void AddLinks(string parent)
    {
        AddDirectory(parent);
        for (int i = 0; i < LinkTargets.Length; i++)
        {
            string path = Path.Combine(parent, $"link-{i}");
            Native.MakeSymbolicLink(LinkTargets[i], path);
            SetOwner(path);
        }
    }

    private void AddDeep(string parent)
    {
        AddDirectory(parent);
        for (int depth = 0; depth < 40; depth++)
        {
            parent = Path.Combine(parent, $"level{depth}");
            AddDirectory(parent);
        }

        AddFile(Path.Combine(parent, "bottom"), "deep down\n"u8.ToArray());
    }

    private void AddWide(string parent)
    {
        AddDirectory(parent);
        for (int i = 0; i < 300; i++)
            AddFile(Path.Combine(parent, $"file{i}"), Encoding.UTF8.GetBytes($"{i % 50}"));
    }

    private void AddRandom(string root)
    {
        var places = new List<string> { root };
        for (int i = 0; i < shape.RandomFiles; i++)
        {
            string place = places[random.Next(places.Count)];
            string path = Path.Combine(place, $"r{i}-{RandomName()}");
            switch (random.Next(6))
            {
                case 0:
                    AddDirectory(path);
                    places.Add(path);
                    break;
                case 1:
                    Native.MakeSymbolicLink(RandomName(), path);
                    SetOwner(path);
                    break;
                default:
                    AddFile(path, RandomBytes(random.Next(3) == 0 ? Sizes[random.Next(Sizes.Length)] : random.Next(3000)));
                    if (shape.Xattrs && random.Next(4) == 0)
                        Native.SetXattr(path, "user.random", RandomBytes(1 + random.Next(200)));
                    break;
            }
        }
    }

    private void AddXattrs(string parent)
    {
        AddDirectory(parent);
        string many = Path.Combine(parent, "many");
        AddFile(many, "many"u8.ToArray());
        for (int i = 0; i < 20; i++)
            Native.SetXattr(many, $"user.x{(i * 7) % 20}", RandomBytes(1 + i));
        foreach ((string file, string name, byte[] value) in new (string, string, byte[])[]
        {
            ("binary", "user.binary", [0, 1, 255, 254, 10, 61, 0]),
            ("big", "user.big", RandomBytes(3000)),
            ("utf8-name", "user.ключ", [1]),
            ("trusted", "trusted.thing", "t"u8.ToArray()),
            ("capability", "security.capability", Convert.FromHexString("0100000200040000000000000000000000000000")),
            ("label", "security.selinux", "system_u:object_r:bin_t:s0\0"u8.ToArray()),
        })
        {
            string path = Path.Combine(parent, file);
            AddFile(path, Encoding.UTF8.GetBytes(file));
            Native.SetXattr(path, name, value);
        }

        if (shape.EmptyXattrs)
        {
            string path = Path.Combine(parent, "empty-value");
            AddFile(path, "empty value"u8.ToArray());
            Native.SetXattr(path, "user.empty", []);
        }

        string empty = Path.Combine(parent, "empty-file");
        AddFile(empty, []);
        Native.SetXattr(empty, "user.on-empty", "x"u8.ToArray());
        string directory = Path.Combine(parent, "directory");
        AddDirectory(directory);
        Native.SetXattr(directory, "user.directory", [0, 0]);
        string link = Path.Combine(parent, "link");
        Native.MakeSymbolicLink("big", link);
        Native.SetXattr(link, "trusted.link", "on a link"u8.ToArray());
    }

    private void AddHardLinks(string parent)
    {
        AddDirectory(parent);
        for (int i = 0; i < 5; i++)
        {
            Native.MakeHardLink(files[random.Next(files.Count)], Path.Combine(parent, $"to-file{i}"));
            string first = Path.Combine(parent, $"twin{i}a");
            AddFile(first, RandomBytes(i));
            Native.MakeHardLink(first, Path.Combine(parent, $"twin{i}b"));
        }
    }

    private void AddOddModes(string parent)
    {
        AddDirectory(parent);
        foreach (uint mode in OddFileModes)
        {
            string path = Path.Combine(parent, "f" + Convert.ToString(mode, 8));
            AddFile(path, Encoding.UTF8.GetBytes($"mode {mode}"));
            Native.ChangeMode(path, mode);
        }

        foreach (uint mode in OddDirectoryModes)
        {
            string path = Path.Combine(parent, "d" + Convert.ToString(mode, 8));
            AddDirectory(path);
            AddFile(Path.Combine(path, "inside"), "inside"u8.ToArray());
            Native.ChangeMode(path, mode);
        }
    }

    private void AddDirectory(string path)
    {
        Directory.CreateDirectory(path);
        SetOwner(path);
        Native.ChangeMode(path, shape.OddModes && random.Next(8) == 0 ? OddDirectoryModes[random.Next(OddDirectoryModes.Length)] : 0x1edu);
        directories.Add(path);
    }

    private void AddFile(string path, byte[] content)
    {
        File.WriteAllBytes(path, content);
        SetOwner(path);
        uint[] modes = shape.OddModes && random.Next(5) == 0 ? OddFileModes : PlainFileModes;
        Native.ChangeMode(path, modes[random.Next(modes.Length)]);
        files.Add(path);
    }

    private void SetOwner(string path)
    {
        if (shape.Owners && random.Next(3) == 0)
            Native.ChangeOwner(path, (uint)random.Next(3) * 1000, (uint)random.Next(70000));
    }

    private string RandomName()
    {
        const string alphabet = "abcXYZ019._- äß漢";
        return string.Concat(Enumerable.Range(0, 1 + random.Next(12)).Select(_ => alphabet[random.Next(alphabet.Length)]));
    }

    private byte[] RandomBytes(int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
