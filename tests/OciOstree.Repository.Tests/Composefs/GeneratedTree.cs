using System.Text;
using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>
/// A tree of all that a composefs image can hold, written straight into a repository so that no file system has a say in it; another one for every number,
/// the same on any machine.
/// </summary>
internal sealed class GeneratedTree
{
    private static readonly int[] Sizes = [0, 0, 1, 2, 100, 4095, 4096, 4097, 8192, 100_000, 128 * 4096, 128 * 4096 + 1];
    private static readonly int[] Lengths = [1, 2, 3, 4, 5, 16, 100, 300];
    private static readonly string[] Prefixes = ["user.", "trusted.", "security.", "trusted.overlay.", "user.overlay.", "trusted.overlayx.", "trusted.overlay.overlay.", "system.", ""];
    private static readonly string[] Suffixes = ["a", "b", "metacopy", "redirect", "opaque", "whiteout", "whiteouts", "é", new string('z', 60)];
    private static readonly uint[] Owners = [0, 0, 0, 7, 1000, 65535, 65536, uint.MaxValue - 1];
    private static readonly uint[] Modes = [0x1A4, 0x1ED, 0x9ED, 0x180, 0xFFF, 0];

    private readonly RepoTransaction transaction;
    private readonly List<byte[]> values = [];
    private readonly List<Checksum> files = [];
    private ulong state;
    private int budget;

    private GeneratedTree(RepoTransaction transaction, int number)
    {
        (this.transaction, state) = (transaction, (ulong)number * 0x9E3779B97F4A7C15 + 1);
        for (int i = 0; i < 5; i++)
            values.Add(Bytes(Pick(Lengths)));
        budget = Below(12) == 0 ? 3000 : 20 + Below(400);
    }

    /// <summary>Writes the tree of a number and commits it to the branch of that number.</summary>
    public static Checksum Commit(RepoTransaction transaction, int number)
    {
        MutableTree root = new();
        GeneratedTree tree = new(transaction, number);
        root.Metadata = tree.Directory();
        if (number > 0)   // the first one is empty
            tree.Fill(root, 0);
        Checksum commit = transaction.WriteCommit(new Commit { RootTree = root.Write(transaction), RootMeta = root.Metadata!.Value });
        transaction.SetRef($"tree-{number}", commit);
        return commit;
    }

    private void Fill(MutableTree tree, int depth)
    {
        int entries = Below(25) == 0 ? 150 + Below(600) : depth == 0 ? 10 + Below(30) : Below(20);
        for (int i = 0; i < entries && budget > 0; i++)
        {
            string name = Name(depth);
            if (tree.TryGetFile(name, out _) || tree.TryGetDirectory(name) is not null)
                continue;
            budget--;
            switch (Below(10))
            {
                case 0 or 1 or 2 when depth < 12:
                    MutableTree directory = tree.GetOrAddDirectory(name);
                    directory.Metadata = Directory();
                    Fill(directory, depth + 1);
                    break;
                case 3 or 4:
                    tree.SetFile(name, transaction.WriteSymlink(new FileHeader(Pick(Owners), Pick(Owners), 0xA1FF, new string((char)('a' + Below(26)), 1 + Below(Below(4) == 0 ? 2000 : 80)), Xattrs(5))));
                    break;
                case 5 when files.Count > 0:
                    tree.SetFile(name, files[Below(files.Count)]);
                    break;
                default:
                    byte[] content = Below(2) == 0 ? new byte[Pick(Sizes)] : Bytes(Pick(Sizes[..8]));
                    files.Add(transaction.WriteFile(new FileHeader(Pick(Owners), Pick(Owners), 0x8000 | Pick(Modes), "", Xattrs(Below(40) == 0 ? 200 : 5)), content.Length, new MemoryStream(content)));
                    tree.SetFile(name, files[^1]);
                    break;
            }
        }
    }

    private Checksum Directory() => transaction.WriteDirMeta(new DirMeta(Pick(Owners), Pick(Owners), 0x4000 | Pick(Modes), Xattrs(5)));

    private string Name(int depth) => Below(10) switch
    {
        0 => new string("!#$%+,-.0Aaz_~"[Below(14)], 3),
        1 => string.Concat(Enumerable.Repeat("é漢", 1 + Below(50))),
        2 => $"{Below(256):x2}",
        3 => $"n{Below(1000)}".PadRight(100 + Below(156), 'x'),
        4 when depth == 0 => Pick(["usr", "etc", "boot", "var", "sysroot"]),
        _ => $"f{Below(100_000)}",
    };

    private XattrSet Xattrs(int most)
    {
        Dictionary<string, byte[]> set = new(StringComparer.Ordinal);
        for (int i = Below(2) == 0 ? 0 : Below(most); i > 0; i--)
        {
            string name = Pick(Prefixes) + (most > 5 && Below(4) > 0 ? $"x{Below(300)}" : Pick(Suffixes));
            set[Below(30) == 0 ? name.PadRight(255 - (name.Contains('é', StringComparison.Ordinal) ? 1 : 0), 'n') : name] = Below(3) > 0 ? Pick(values) : Bytes(Pick(Lengths));
        }
        if (Below(20) == 0)
            set["system.posix_acl_" + Pick(["access", "default"])] = Bytes(44);
        if (Below(3) == 0)
            set["security.selinux"] = Encoding.ASCII.GetBytes($"system_u:object_r:{Pick(["usr_t", "bin_t", "etc_t"])}:s0\0");
        // Names are bytes, and need not be text.
        if (Below(20) == 0)
            set["user.\udcff\udc80"] = Bytes(3);
        return XattrSet.From(set.Select(static entry => new Xattr(FileName.ToBytes(entry.Key), entry.Value)));
    }

    private T Pick<T>(IReadOnlyList<T> all) => all[Below(all.Count)];

    private byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)Below(256);
        return bytes;
    }

    // Of its own, since a random number generator may be another one in the next runtime.
    private int Below(int limit)
    {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        return (int)((state >> 20) % (uint)limit);
    }
}
