namespace OciOstree.Interop.Tests.Ostree;

/// <summary>
/// The same words to the real <c>ostree</c> and to ours called <c>ostree</c>, each on its own copy of a repository, give the same output,
/// the same last line of complaint, the same exit code and the same repository.
/// </summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("bare")]
    [InlineData("bare-user")]
    [InlineData("bare-user-only")]
    [InlineData("archive")]
    public void ReadingIsTheSame(string mode)
    {
        MakeRepo(mode);
        string file = Tool.Shell("ostree --repo=repo ls -C main /dir/file | awk '{print $5}'", scratch.Path).Ok().OutputLine;
        string tree = Tool.Shell("ostree --repo=repo ls -dC main / | awk '{print $5}'", scratch.Path).Ok().OutputLine;
        string meta = Tool.Shell("ostree --repo=repo ls -dC main / | awk '{print $6}'", scratch.Path).Ok().OutputLine;
        foreach (string words in new[]
        {
            "ls main", "ls -R main", "ls -RCX main", "ls -d main /dir", "ls main dir/file /link", "ls --nul-filenames-only -R main", "ls main /nope", "ls main /dir/file/below", "ls nope", "ls",
            "cat main /dir/file", "cat main link dir/file", "cat main /dir", "cat main", "cat main /nope",
            "log main", "log --raw main", "log", "log nope", "log main^^^^",
            "show main", "show main^", "show --raw main", $"show {file}", $"show {tree}", $"show --raw {tree}", $"show {meta}", $"show --raw {meta}", "show", "show nope",
            "show --print-metadata-key=version main", "show --print-metadata-key=number main", "show -B --print-metadata-key=number main", "show --print-metadata-key=nope main",
            "show --print-detached-metadata-key=note main", "show --print-detached-metadata-key=note main^", "show --print-related main",
            "rev-parse main", "rev-parse main^ other", "rev-parse main^^^", "rev-parse nope", "rev-parse", "rev-parse -S", "rev-parse -S main", "rev-parse dir",
            "refs --list", "refs --list dir", "refs dir/a", "refs rem:", "refs --list rem:x", "refs nope", "refs -A", "refs --delete", "refs --create=x",
            "config get core.mode", "config get core.nope", "config get nope.nope", "config get nope", "config get", "config", "config nope", "config get a b c",
            "remote list", "remote list -u", "remote show-url origin", "remote show-url nope", "remote show-url", "remote nope",
            "diff main", "diff main^ main", "diff main other", "diff --stats main", "diff main nope", "diff",
            "summary", "summary -v", "prune --no-prune", "prune --no-prune --refs-only --depth=0", "fsck -q", "fsck --nope", "reset nope main", "reset main",
            "nope", "", "init --mode=nope", "checkout", "checkout nope", "checkout --union --union-add main x", "checkout main tree", "checkout main no/such",
            "commit -b x tree --owner-uid=x", "commit -b x tree --owner-uid=5000000000", "prune --depth", "commit", "commit -b x --tree=nope", "commit -b x --tree=nope=nope", "commit -b x --tree=dir=nope", "commit -b x --tree=ref=nope", "commit -b x tree --parent=nope",
            "commit -b x tree --add-metadata-string=nope", "commit -b x tree --add-metadata=a=[", "commit -b x tree --timestamp=nope", "commit -b x tree --keep-metadata=version",
            "commit -b main tree --keep-metadata=nope", "commit -b x tree --canonical-permissions --owner-uid=1", "commit -b x tree --skip-list=lists/skips", "commit -b x tree --statoverride=lists/overrides",
            "pull-local", "pull-local nope", "export", "checksum", "checksum nope", "checksum tree/dir/file", "checksum --ignore-xattrs tree/dir/file", "checksum tree/link",
        })
            Same(words, mode: mode);
    }

    [Fact]
    public void HelpIsTheSameUpToOptionsThatNotBothHave()
    {
        foreach (string verb in new[] { "cat", "log", "ls", "reset", "init", "config", "checksum", "diff", "fsck", "export", "remote show-url", "remote list", "rev-parse" })
        {
            string[] words = [.. verb.Split(' '), "--help"];
            ToolResult ours = OurProgram.Ostree(words).Ok();
            ToolResult real = Tool.Run("ostree", words).Ok();
            string[] Usage(ToolResult result) => result.Output.Replace(OurProgram.Path("ostree"), "ostree", StringComparison.Ordinal).Split("Help Options:")[0].Split('\n');
            Assert.Equal(Usage(real), Usage(ours));
            Assert.Equal("", ours.Error);
            // Newer releases have options that 2022.7 lacks; none that it has may be lacking here.
            foreach (string option in Options(real))
                Assert.Contains(option, Options(ours));
        }
    }

    [Theory]
    [InlineData("bare")]
    [InlineData("bare-user")]
    [InlineData("bare-user-only")]
    [InlineData("archive")]
    public void WritingIsTheSame(string mode)
    {
        MakeRepo(mode);
        string date = "--timestamp=@1700000000";
        foreach (string words in new[]
        {
            $"commit -b new {date} -s subject -m body tree", $"commit -b new {date} tree --add-metadata-string=a=b --add-metadata=n=uint32 5 --bind-ref=z --bind-ref=b",
            $"commit -b new {date} tree --owner-uid=3 --owner-gid=4 --no-xattrs", $"commit -b new {date} tree --skip-if-unchanged --owner-uid=3 --owner-gid=4 --no-xattrs",
            $"commit -b over {date} --tree=dir=tree --tree=ref=other --tree=tar=archive.tar", $"commit --orphan {date} tree", $"commit -b keep {date} --parent=none tree --canonical-permissions",
            $"commit -b main {date} tree --keep-metadata=version --add-detached-metadata-string=x=y", $"commit -b ro {date} tree --mode-ro-executables --no-bindings",
            $"commit -b boot {date} --bootable --tree=dir=tree --tree=dir=kernel --add-metadata-string=version=1 --add-metadata-string=rpmostree.inputhash=2 --add-metadata-string=coreos-assembler.basearch=3",
            $"commit -b table {date} --table-output tree", $"commit -b skip {date} tree --skip-list=lists/good-skips", $"commit -b stat {date} tree --statoverride=lists/good-overrides",
            "show --raw boot", "show --raw over", "show --raw main", "ls -RCX new", "ls -RCX over", "ls -RCX keep", "ls -RCX ro", "ls -RCX stat",
            "refs --create=made main", "refs --create=made main", "refs --create=made main^ --force", "refs --create=dir/b main", "refs --create=rem:made main", "refs -A --create=alias made", "refs -A", "refs --delete made",
            "refs --delete alias", "refs --delete made", "refs --delete dir", "refs --list",
            "reset main main^", "log main", "config set core.fsync false", "config set --group=a b c d", "config set --group=grp key value", "config get --group=grp key", "config unset grp.key", "config unset grp.nope",
            "remote add two http://example.com/r b1 b2 --set=x=y --no-gpg-verify", "remote add two http://example.com/r", "remote add --if-not-exists two http://nope/", "remote add --force two http://other/",
            "remote add a/b http://nope/", "remote add only", "remote delete nope", "remote delete --if-exists nope", "remote delete origin", "remote list -u",
            "prune --refs-only --depth=0", "prune", "fsck -q",
        })
            Same(words, mode: mode);
        Assert.Equal(Refs("repo"), Refs("ours"));
        Assert.Equal(File.ReadAllText(scratch["repo/config"]), File.ReadAllText(scratch["ours/config"]));
        Tool.Run("ostree", "fsck", "--repo=" + scratch["ours"]).Ok();
        OurProgram.Ostree("fsck", "--repo=" + scratch["repo"]).Ok();
    }

    [Theory]
    [InlineData("bare", "archive")]
    [InlineData("archive", "bare")]
    [InlineData("bare", "bare")]
    [InlineData("bare-user", "archive")]
    public void PullsAndCheckoutsAreTheSame(string from, string to)
    {
        MakeRepo(from);
        foreach (string program in new[] { "ostree", OurProgram.Path("ostree") })
        {
            string name = program == "ostree" ? "real" : "ours";
            string source = program == "ostree" ? "repo" : "ours";
            Tool.Run(program, "init", "--repo=" + scratch[name + "-to"], "--mode=" + to).Ok();
            Tool.Run(program, "pull-local", "--repo=" + scratch[name + "-to"], "--remote=rem", scratch[source], "main", "other").Ok();
            string[] user = to == "bare" ? [] : ["-U"];
            Tool.Run(program, ["checkout", "--repo=" + scratch[name + "-to"], .. user, "main", scratch[name + "-out"]]).Ok();
        }
        Assert.Equal(Refs("real-to"), Refs("ours-to"));
        Assert.Equal(Objects("real-to"), Objects("ours-to"));
        TreeSnapshot.AssertEqual(scratch["real-out"], scratch["ours-out"]);
    }

    [Fact]
    public void TheSummaryIsTheSame()
    {
        MakeRepo("archive");
        foreach (string words in new[] { "summary -u", "summary -u --add-metadata=a='b' -m c=uint64 4" })
        {
            Same(words, mode: "archive");
            string[] real = Lines(Tool.Run("ostree", "summary", "-v", "--repo=" + scratch["repo"]).Ok());
            Assert.Equal(real, Lines(Tool.Run("ostree", "summary", "-v", "--repo=" + scratch["ours"]).Ok()));
            Assert.Equal(real, Lines(OurProgram.Ostree("summary", "-v", "--repo=" + scratch["ours"]).Ok()));
        }
        // One line differs between two runs, and one came after 2022.7.
        static string[] Lines(ToolResult result) =>
            result.OutputLines.Where(line => !line.StartsWith("Last-Modified", StringComparison.Ordinal) && line != "Summary is unsigned").ToArray();
    }

    [Fact]
    public void AnEditorsMessageIsTheSame()
    {
        MakeRepo("archive");
        scratch.Write("editor", "#!/bin/sh\ncp \"$2\" seen\nprintf '\\n# no\\nA subject  \\n\\nbody 1\\n#no\\n\\nbody 2\\n\\n' > \"$2\"\n");
        scratch.Write("message", "Not a subject\n\nbody\n");
        scratch.Write("latin1", "");
        File.WriteAllBytes(scratch["latin1"], [0xe9, (byte)'\n']);
        Tool.Shell("chmod +x editor", scratch.Path).Ok();
        string date = "--timestamp=@1700000000";
        var seen = new List<string>();
        foreach ((string editor, string words) in new[]
        {
            ("./editor -x", $"commit -b new {date} tree -e"), ("./editor -x", $"commit -b new {date} tree --editor -s first -m second"), ("./editor -x", $"commit --orphan {date} tree -e"),
            ("true", $"commit -b new {date} tree -e"), ("true", $"commit -b new {date} tree -e -s given"),
            ("true", $"commit -b new {date} tree -F message"), ("true", $"commit -b new {date} tree -F latin1"), ("true", $"commit -b new {date} tree -F nope"), ("true", "show --raw new"),
        })
        {
            Same(words, "archive", editor);
            if (File.Exists(scratch["seen"]))
                seen.Add(File.ReadAllText(scratch["seen"]));
        }
        Assert.Contains("# Branch: new\nfirst\n", string.Concat(seen), StringComparison.Ordinal);
        // The program's name and its exit code are run together there.
        ToolResult failed = Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path, Environment = Editor("false") }, "commit", "--repo=ours", "-b", "x", "tree", "-e").Failed();
        Assert.Contains("There was a problem with the editor 'false'", failed.Error, StringComparison.Ordinal);
        Assert.Contains("EDITOR unset", Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path, Environment = Editor(null) }, "commit", "--repo=ours", "-b", "x", "tree", "-e").Failed().Error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ArchivesOfEveryCompressionAreCommittedAlike()
    {
        MakeRepo("archive");
        Tool.Shell("""
            tar -C tree -cf a.tar .
            gzip -k a.tar; xz -k a.tar; bzip2 -k a.tar; zstd -q -k a.tar
            head -c -40 a.tar.xz > cut.xz; head -c -40 a.tar.bz2 > cut.bz2
            """, scratch.Path).Ok();
        string[] commits = new[] { "a.tar", "a.tar.gz", "a.tar.xz", "a.tar.bz2", "a.tar.zst" }.Select(Committed).ToArray();
        Assert.Single(commits.Distinct());
        Assert.Equal(Tool.Shell("ostree --repo=repo commit -b tar --no-bindings --timestamp=@1 --tree=tar=a.tar.xz", scratch.Path).Ok().OutputLine, commits[0]);
        foreach (string name in new[] { "cut.xz", "cut.bz2" })
            Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path }, "commit", "--repo=ours", "-b", "cut", "--tree=tar=" + name).Failed();

        string Committed(string name) =>
            Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path }, "commit", "--repo=ours", "-b", "tar", "--parent=none", "--no-bindings", "--timestamp=@1", "--tree=tar=" + name).Ok().OutputLine;
    }

    [Fact]
    public void ARefWhoseFileIsDamagedIsListedAndCanBeDeleted()
    {
        MakeRepo("bare");
        File.WriteAllText(scratch["ours/refs/heads/damaged"], "");
        Assert.Contains("damaged", OurProgram.Ostree("refs", "--repo=" + scratch["ours"]).Ok().OutputLines);
        OurProgram.Ostree("refs", "--repo=" + scratch["ours"], "--delete", "damaged").Ok();
        Assert.False(File.Exists(scratch["ours/refs/heads/damaged"]));
    }

    private static Dictionary<string, string?> Editor(string? program) => new() { ["EDITOR"] = program, ["VISUAL"] = null, ["OSTREE_EDITOR"] = null, ["TERM"] = "dumb" };

    private void Same(string words, string mode, string editor = "false")
    {
        string[] split = words.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // A value with a blank in it is written with its type: "uint32 5".
        for (int i = split.Length - 1; i > 0; i--)
        {
            if (split[i - 1].EndsWith("=uint32", StringComparison.Ordinal) || split[i - 1].EndsWith("=uint64", StringComparison.Ordinal))
                split = [.. split[..(i - 1)], split[i - 1] + " " + split[i], .. split[(i + 1)..]];
        }
        bool plain = split is [] or ["checksum", ..] or ["nope", ..] or ["remote", "nope"];
        string[] With(string repo) => plain ? split : split is ["remote", ..] ? [.. split[..2], "--repo=" + repo, .. split[2..]] : [split[0], "--repo=" + repo, .. split[1..]];
        ToolResult real = Tool.Run(new ToolStart("ostree") { Directory = scratch.Path, Environment = Editor(editor) }, With("repo"));
        ToolResult ours = Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path, Environment = Editor(editor) }, With("ours"));
        string at = $"{mode}: {words}\n";
        Assert.Equal(at + real.ExitCode, at + ours.ExitCode);
        Assert.Equal(at + Sorted(words, real.Output), at + Sorted(words, ours.Output));
        Assert.Equal(at + LastLine(real.Error, "repo"), at + LastLine(ours.Error, "ours"));
    }

    // 2022.7 lists refs in the order of a hash table, later releases and we by name.
    private static string Sorted(string words, string output) =>
        words.StartsWith("refs", StringComparison.Ordinal) ? string.Join('\n', output.Split('\n').Order(StringComparer.Ordinal)) : output;

    private static string LastLine(string error, string repo)
    {
        string line = error.TrimEnd('\n').Split('\n')[^1];
        return line.Replace($"/{repo}", "/REPO", StringComparison.Ordinal);
    }

    private string[] Refs(string repo) => Tool.Shell($"cd {repo}/refs && find . -type f | sort | xargs -d '\\n' grep -H .", scratch.Path).Ok().OutputLines;

    private string[] Objects(string repo) => Tool.Shell($"cd {repo}/objects && find . -type f -o -type l | sort", scratch.Path).Ok().OutputLines;

    private static string[] Options(ToolResult help) => help.OutputLines
        .Where(line => line.StartsWith("  -", StringComparison.Ordinal)).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToArray();

    private void MakeRepo(string mode)
    {
        Tool.Shell($"""
            mkdir -p tree/dir/sub kernel/usr/lib/modules/6.1 lists
            echo content > tree/dir/file; chmod 755 tree/dir/file; ln -s dir/file tree/link; : > tree/empty; ln tree/dir/file tree/hard; echo x > tree/dir/sub/x
            setfattr -n user.test -v value tree/dir/sub/x; ln -s /nowhere tree/dangling
            echo kernel > kernel/usr/lib/modules/6.1/vmlinuz
            echo /nope > lists/skips; echo 2048 /nope > lists/overrides; echo /dir/sub > lists/good-skips; echo '=420 /dir/file' > lists/good-overrides; echo '2048 /hard' >> lists/good-overrides
            mkdir -p archive/in; echo tarred > archive/in/t; tar -C archive -cf archive.tar .
            ostree init --repo=repo --mode={mode}
            ostree --repo=repo commit -b main -s first tree --timestamp=@1600000000 --add-metadata-string=version=0.9
            echo changed > tree/dir/file; rm tree/empty; mkdir tree/new; echo y > tree/new/y
            ostree --repo=repo commit -b main -s second -m 'a body
            of two lines' tree --timestamp=@1600000001 --add-metadata-string=version=1.0 --add-metadata='number=uint32 7' --add-detached-metadata-string=note=detached
            ostree --repo=repo commit -b other tree/dir --timestamp=@1600000002
            ostree --repo=repo refs --create=dir/a main; ostree --repo=repo refs --create=dir/b/c other; ostree --repo=repo refs --create=rem:x/y main
            ostree --repo=repo remote add origin http://example.com/repo
            cp -a repo ours
            """, scratch.Path).Ok();
    }
}
