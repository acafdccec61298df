namespace OciOstree.Interop.Tests.Ostree;

/// <summary><c>ostree static-delta</c> by the real program and by ours: the same texts, and each applies what the other made.</summary>
public sealed class StaticDeltaTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("static-delta");
    private readonly string from, to;

    public StaticDeltaTests()
    {
        Random random = new(7);
        byte[] program = new byte[100_000];
        random.NextBytes(program);
        scratch.Write("tree/etc/os-release", "NAME=one\n");
        scratch.MakeDirectory("tree/bin");
        File.WriteAllBytes(scratch["tree/bin/program"], program);
        Real("init", "--mode=archive");
        from = Commit();
        for (int i = 0; i < program.Length; i += 700)
            program[i]++;
        File.WriteAllBytes(scratch["tree/bin/program"], [1, 2, 3, .. program]);
        scratch.Write("tree/etc/os-release", "NAME=two\n");
        scratch.Write("tree/etc/new", "new");
        File.CreateSymbolicLink(scratch["tree/bin/link"], "program");
        to = Commit();
    }

    public void Dispose() => scratch.Dispose();

    private string Name => $"{from}-{to}";

    private string Commit() => Real("commit", "--branch=main", "--no-bindings", $"--tree=dir={scratch["tree"]}").OutputLine;

    private ToolResult Real(string verb, params string[] arguments) => Tool.Run("ostree", [.. verb.Split(' '), $"--repo={scratch["repo"]}", .. arguments]).Ok();

    private ToolResult Ours(string verb, params string[] arguments) => OurProgram.Ostree([.. verb.Split(' '), $"--repo={scratch["repo"]}", .. arguments]).Ok();

    private void Same(string verb, params string[] arguments)
    {
        ToolResult real = Tool.Run("ostree", [.. verb.Split(' '), $"--repo={scratch["repo"]}", .. arguments]), ours = OurProgram.Ostree([.. verb.Split(' '), $"--repo={scratch["repo"]}", .. arguments]);
        Assert.Equal(real.Output, ours.Output);
        Assert.Equal(real.ExitCode, ours.ExitCode);
        if (real.ExitCode != 0)
            Assert.Equal(real.Error.TrimEnd().Split('\n')[^1], ours.Error.TrimEnd().Split('\n')[^1]);
    }

    [Fact]
    public void TextsAreTheSame()
    {
        Same("static-delta list");
        Same("static-delta indexes");
        Same("static-delta show", "GARBAGE");
        Same("static-delta show");
        Same("static-delta delete", Name);
        Same("static-delta generate");
        Same("static-delta generate", "--empty", "--from=main^", "main");
        Same("static-delta generate", "--set-endianness=x", "main");
        Same("static-delta generate", "main");
        Same("static-delta generate", "--if-not-exists", "main");
        Same("static-delta generate", "--empty", "--min-fallback-size=0", "--to=main");
        Same("static-delta show", Name);
        Same("static-delta show", to);
        Same("static-delta show", Directory.EnumerateFiles(scratch["repo/deltas"], "superblock", SearchOption.AllDirectories).First());
        Same("static-delta list");
        Same("static-delta reindex");
        Same("static-delta indexes");
        Real("static-delta generate", "--swap-endianness", "main");
        Same("static-delta show", Name);
        Real("static-delta generate", "main");
        Same("static-delta show", Name);
        Same("static-delta apply-offline");
    }

    [Theory]
    [InlineData]
    [InlineData("--inline")]
    [InlineData("--disable-bsdiff")]
    [InlineData("--max-chunk-size=0")]
    [InlineData("--set-endianness=B")]
    public void EachAppliesWhatTheOtherMade(params string[] options)
    {
        foreach (bool ours in (bool[])[true, false])
        {
            if (ours)
                Ours("static-delta generate", [.. options, "main"]);
            else
                Real("static-delta generate", [.. options, "main"]);
            string delta = Path.GetDirectoryName(Directory.EnumerateFiles(scratch["repo/deltas"], "superblock", SearchOption.AllDirectories).Single())!;
            string client = scratch[ours ? "theirs" : "ours"];
            Tool.Run("ostree", "init", $"--repo={client}", "--mode=bare-user").Ok();
            Tool.Run("ostree", "pull-local", $"--repo={client}", scratch["repo"], from).Ok();
            ToolResult applied = ours ? Tool.Run("ostree", "static-delta", "apply-offline", $"--repo={client}", delta) : OurProgram.Ostree("static-delta", "apply-offline", $"--repo={client}", delta);
            applied.Ok();
            Tool.Run("ostree", "fsck", "--quiet", $"--repo={client}").Ok();
            Assert.Equal(Real("ls", "-RCX", to).Output, Tool.Run("ostree", "ls", "-RCX", $"--repo={client}", to).Ok().Output);
            Directory.Delete(scratch["repo/deltas"], recursive: true);
        }
    }

    [Fact]
    public void WhatTheSummarySaysIsTheSame()
    {
        Real("static-delta generate", "main");
        Real("static-delta generate", "--empty", "main");
        Real("summary", "-u");
        string Deltas() => Assert.Single(Real("summary", "--view").OutputLines, line => line.StartsWith("Static Deltas", StringComparison.Ordinal));
        string real = Deltas(), index = Tool.Shell("find delta-indexes -type f | sort | xargs sha256sum", scratch["repo"]).Ok().Output;
        Directory.Delete(scratch["repo/delta-indexes"], recursive: true);
        Ours("summary", "-u");
        Assert.Equal(real, Deltas());
        Assert.Equal(index, Tool.Shell("find delta-indexes -type f | sort | xargs sha256sum", scratch["repo"]).Ok().Output);
    }

    [Fact]
    public void PullsSayTheSame()
    {
        Real("static-delta generate", "main");
        Real("summary", "-u");
        using RepoServer server = new(scratch["repo"]);
        string Pull(bool ours, params string[] options)
        {
            string client = scratch[Guid.NewGuid().ToString()];
            Tool.Run("ostree", "init", $"--repo={client}", "--mode=bare-user").Ok();
            Tool.Run("ostree", "remote", "add", $"--repo={client}", "--no-gpg-verify", "origin", server.Url).Ok();
            Tool.Run("ostree", "pull-local", $"--repo={client}", "--remote=origin", scratch["repo"], from).Ok();
            string[] words = ["pull", $"--repo={client}", "--require-static-deltas", .. options, "origin", "main"];
            return (ours ? OurProgram.Ostree(words) : Tool.Run("ostree", words)).Ok().Output;
        }
        Assert.Equal(Pull(false, "--dry-run"), Pull(true, "--dry-run"));
        Assert.Matches("^1 delta parts, 2 loose fetched; [0-9]+ (B|KiB) transferred in [0-9]+ seconds; 0 bytes content written\n$", Pull(true));
    }
}
