using System.Text;

namespace OciOstree.Testing;

/// <summary>
/// A tree drawn from everything that an ostree commit can hold, another one for every seed: names of all lengths and characters, modes, owners,
/// xattrs, sizes around the boundaries of buffers, deep and wide directories, hard links and all kinds of symbolic links.
/// Unlike <see cref="TreeBuilder"/>'s, which has always the same nasty things, it is small and unforeseen.
/// </summary>
public sealed class RandomTree
{
    // Buffers here and there are of these sizes; one more and one less is where code that counts wrongly fails.
    private static readonly int[] Boundaries = [16, 512, 4096, 8192, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10];

    // No decomposed letters: libarchive composes them when it reads or writes an archive, which makes other names of them.
    private static readonly string[] Words =
    [
        "usr", "etc", "bin", "a", "B", "é", "漢字", "🦊", "\u200b", "ß", "\u00a0", " ", "  ", ".", "..", "...", "-", "--", "~", "#", "%s", "%", "\\", "'", "\"", "*", "?", "[", "]",
        "{", "}", "$(x)", "`", "!", "&", "|", ";", "<", ">", "=", ":", ",", "+", "@", "^", "\t", "\n", "\r", "\u0001", "\u001b[31m", "\u007f", "\ufeff", "\uffff", "wh.", ".wh", "0", "9",
    ];

    private readonly Random random;
    private readonly List<string> files = [];
    private readonly bool plain;
    private int budget;

    private RandomTree(int seed, bool plain)
    {
        (random, this.plain) = (new Random(seed), plain);
        budget = 10 + random.Next(90);
    }

    /// <summary>Makes the tree at <paramref name="root"/>, which must not exist, and returns that path.</summary>
    /// <param name="plain">No owners, xattrs and odd modes: what a <c>bare-user-only</c> repository can hold.</param>
    public static string Build(string root, int seed, bool plain = false)
    {
        new RandomTree(seed, plain).AddDirectory(root, 0);
        return root;
    }

    private void AddDirectory(string path, int depth)
    {
        Directory.CreateDirectory(path);
        int entries = depth == 0 ? budget : random.Next(12) switch { 0 => 0, 1 => 60, var few => few };
        for (int i = 0; i < entries && budget > 0; i++)
        {
            string child = Path.Combine(path, Name());
            if (Encoding.UTF8.GetByteCount(child) > 3500 || Path.Exists(child) || new FileInfo(child).LinkTarget is not null)
                continue;
            budget--;
            switch (random.Next(10))
            {
                case 0 or 1:
                    AddDirectory(child, depth + 1);
                    break;
                case 2:
                    Native.MakeSymbolicLink(Target(), child);
                    Decorate(child, isLink: true);
                    break;
                case 3 when files.Count > 0:
                    Native.MakeHardLink(files[random.Next(files.Count)], child);
                    break;
                default:
                    File.WriteAllBytes(child, Content());
                    Decorate(child, isLink: false);
                    Native.ChangeMode(child, FileMode());
                    files.Add(child);
                    break;
            }
        }
        Decorate(path, isLink: false);
        Native.ChangeMode(path, plain || random.Next(3) > 0 ? 0x1edu : 0x1c0u | (uint)random.Next(0x1000));
    }

    private uint FileMode() => plain ? random.Next(2) == 0 ? 0x1a4u : 0x1edu : random.Next(2) == 0 ? 0x1a4u : (uint)random.Next(0x1000);

    private string Name()
    {
        string name = random.Next(12) switch
        {
            0 => new string((char)('a' + random.Next(26)), 250 + random.Next(6)),
            1 => new string('é', 127) + (random.Next(2) == 0 ? "" : "x"),
            2 => string.Concat(Enumerable.Range(0, 1 + random.Next(30)).Select(_ => (char)(1 + random.Next(127)))).Replace('/', '_'),
            _ => string.Concat(Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Words[random.Next(Words.Length)])),
        };
        return name is "." or ".." ? name + "_" : name;
    }

    private string Target() => random.Next(8) switch
    {
        0 => new string('t', 1 + random.Next(4000)),
        1 => "/" + Name(),
        2 => "..//.././" + Name() + "/",
        3 => ".",
        4 => "/",
        5 => "//" + Name() + "//" + Name(),
        _ => Name(),
    };

    private byte[] Content()
    {
        int size = random.Next(4) switch
        {
            0 => Boundaries[random.Next(Boundaries.Length)] + random.Next(3) - 1,
            1 => random.Next(4),
            _ => random.Next(3000),
        };
        // Some compress well, some not at all, and some are the same as others.
        byte[] content = new byte[size];
        switch (random.Next(4))
        {
            case 0:
                Array.Fill(content, (byte)random.Next(3));
                break;
            case 1:
                new Random(size).NextBytes(content);
                break;
            default:
                random.NextBytes(content);
                break;
        }
        return content;
    }

    private void Decorate(string path, bool isLink)
    {
        if (plain)
            return;
        if (random.Next(3) == 0)
            Native.ChangeOwner(path, (uint)(random.Next(2) * random.Next(70_000)), random.Next(5) == 0 ? 0xfffffffeu : (uint)random.Next(70_000));
        if (random.Next(4) > 0)
            return;
        // All of a file's must fit into a block of ext4, and a name into 255 bytes.
        bool many = random.Next(6) == 0;
        for (int i = many ? 40 : 1 + random.Next(3); i > 0; i--)
        {
            // A link takes no xattrs of users.
            string space = isLink || random.Next(3) == 0 ? "trusted." : "user.";
            byte[] value = new byte[random.Next(20) == 0 ? 0 : 1 + random.Next(many ? 20 : 600)];
            random.NextBytes(value);
            string name = Name();
            Native.SetXattr(path, space + (name.Length > 60 ? name[..60] : name) + (many ? i : ""), value);
        }
        if (!isLink && random.Next(4) == 0)
            Native.SetXattr(path, "security.selinux", "system_u:object_r:bin_t:s0\0"u8.ToArray());
        if (!isLink && File.Exists(path) && random.Next(4) == 0)
            Native.SetXattr(path, "security.capability", Convert.FromHexString("0100000200040000000000000000000000000000"));
    }
}
