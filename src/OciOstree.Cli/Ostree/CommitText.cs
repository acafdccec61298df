using System.Globalization;
using System.Security.Cryptography;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>Objects as <c>ostree show</c> and <c>ostree log</c> print them.</summary>
internal static class CommitText
{
    /// <summary>A commit's first lines, or with <paramref name="raw"/> the whole object.</summary>
    public static void Print(OstreeCall call, ObjectName name, bool raw, bool unswapped)
    {
        ReadOnlyMemory<byte> bytes = call.Repo.ReadMetadata(name);
        call.Print($"{name.Type.Word()} {name.Checksum}");
        if (unswapped || raw)
        {
            Variant value = Variant.FromBytes(TypeOf(name.Type), bytes);
            call.Print((unswapped ? value : value.ByteSwap()).Print());
            if (!unswapped)
                return;
        }
        if (name.Type == ObjectType.Commit)
            Print(call, Commit.Parse(bytes));
    }

    /// <summary>Seconds since 1970 as ostree prints dates.</summary>
    public static string Date(ulong timestamp)
    {
        if (timestamp > (ulong)DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            throw new RepositoryException($"Failed to read commit: Invalid timestamp: {timestamp}");
        return DateTimeOffset.FromUnixTimeSeconds((long)timestamp).ToString("yyyy-MM-dd HH:mm:ss +0000", CultureInfo.InvariantCulture);
    }

    private static string TypeOf(ObjectType type) => type switch
    {
        ObjectType.Commit => Commit.VariantType,
        ObjectType.DirTree => "(a(say)a(sayay))",
        _ => "(uuua(ayay))",
    };

    private static void Print(OstreeCall call, Commit commit)
    {
        string date = Date(commit.Timestamp);
        if (commit.Parent is { } parent)
            call.Print($"Parent:  {parent}");
        Span<byte> content = stackalloc byte[2 * Checksum.Size];
        commit.RootTree.WriteTo(content);
        commit.RootMeta.WriteTo(content[Checksum.Size..]);
        call.Print($"ContentChecksum:  {Convert.ToHexStringLower(SHA256.HashData(content))}");
        call.Print($"Date:  {date}");
        if (commit.Metadata.Lookup("version", "s") is { } version)
            call.Print($"Version: {version.AsString()}");
        if (commit.Subject.Length > 0)
        {
            call.Print("");
            PrintIndented(call, commit.Subject);
        }
        else
        {
            call.Print("(no subject)");
        }
        if (commit.Body.Length > 0)
        {
            call.Print("");
            PrintIndented(call, commit.Body);
        }
        call.Print("");
    }

    private static void PrintIndented(OstreeCall call, string text)
    {
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (i < lines.Length - 1 || lines[i].Length > 0)
                call.Print("    " + lines[i]);
        }
    }
}
