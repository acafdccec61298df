namespace OciOstree.Repository.Tests;

/// <summary>An archive made by the real program with two commits between which all kinds of things have changed.</summary>
public sealed class DeltaFixture : IDisposable
{
    private readonly ScratchDirectory scratch = new("delta");

    public DeltaFixture()
    {
        TreeBuilder.Build(scratch["tree"], shape: TreeShape.Plain with { EmptyXattrs = false, LargeFiles = false, RandomFiles = 20 });
        Random random = new(1);
        byte[] program = new byte[300_000], text = new byte[30_000], large = new byte[5_000_000];
        random.NextBytes(program);
        random.NextBytes(large);
        for (int i = 0; i < text.Length; i++)
            text[i] = (byte)('a' + random.Next(20));
        Directory.CreateDirectory(scratch["tree/usr/bin"]);
        File.WriteAllBytes(scratch["tree/usr/bin/program"], program);
        File.WriteAllBytes(scratch["tree/usr/bin/libx.so.1"], text);
        File.WriteAllBytes(scratch["tree/usr/bin/large"], large);
        From = Ostree.Commit(Ostree.Init(Source, RepoMode.Archive), scratch["tree"], "main");
        for (int i = 0; i < program.Length; i += 1000)
            program[i]++;
        File.WriteAllBytes(scratch["tree/usr/bin/program"], [.. "header"u8, .. program]);
        File.Delete(scratch["tree/usr/bin/libx.so.1"]);
        File.WriteAllBytes(scratch["tree/usr/bin/libx.so.2"], [.. text, .. "more"u8]);
        // Compared in chunks, as it is large and mostly the same.
        random.NextBytes(large.AsSpan(1_000_000, 20_000));
        File.WriteAllBytes(scratch["tree/usr/bin/large"], large);
        scratch.Write("tree/usr/new/file", "new");
        File.WriteAllText(scratch["tree/usr/new/empty"], "");
        File.CreateSymbolicLink(scratch["tree/usr/new/link"], "file");
        To = Ostree.Commit(Source, scratch["tree"], "main", "--timestamp=@1700001000");
    }

    public string Source => scratch["source"];

    public Checksum From { get; }

    public Checksum To { get; }

    public DeltaName Name => new(From, To);

    /// <summary>Another copy of the source, to add deltas to.</summary>
    public string Copy(ScratchDirectory to, string name)
    {
        Tool.Run("cp", "-a", Source, to[name]).Ok();
        return to[name];
    }

    /// <summary>A repository that has the older commit.</summary>
    public string Client(ScratchDirectory at, RepoMode mode, string name = "client")
    {
        Ostree.Init(at[name], mode);
        Ostree.Run(at[name], "pull-local", Source, From.ToString()).Ok();
        return at[name];
    }

    public void Dispose() => scratch.Dispose();
}
