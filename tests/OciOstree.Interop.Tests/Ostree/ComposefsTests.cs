using System.Security.Cryptography;

namespace OciOstree.Interop.Tests;

/// <summary>
/// composefs by the commands' words. The checksums are the ones that Debian sid's ostree 2026.4 gives for the same commands, which <c>build/unpack-sid-ostree</c> gets;
/// here they are written down, so that neither it nor a network is needed. Trees of all kinds are compared in the Repository's tests.
/// </summary>
public sealed class ComposefsTests
{
    private const string Digest = "0d6665875b346c08bf2624c0febd190a1a9e5497ea532cd4f32262ffa5200472";

    private static readonly string[] Canonical = ["--parent=none", "--timestamp=@1704164645", "--owner-uid=0", "--owner-gid=0", "--no-xattrs", "--canonical-permissions"];

    // The order of metadata is in the checksum, and is GLib's hash table's: it depends on how many keys there are.
    [Theory]
    [InlineData(0, false, "88761ea95bd21902eb1e98f93d20f5dc76377607f1e9d1d32a7d2b5dcab37215")]
    [InlineData(0, true, "1112d723e822f6368f52b697cb6c05bdd124d6bbad04348292f561948ed18206")]
    [InlineData(1, false, "d758c79dc18f920f856daf332ab15fce726e7f02ff08309544eb47de99e3a9ba")]
    [InlineData(1, true, "799174a7cd694803dc1d6a399e4634b8cd9e413f269ff09c65e123b810f2d833")]
    [InlineData(4, false, "99b1973c104a6dbd21b4f58ada4be5e67597c7c88511baa51567185903a6fb44")]
    [InlineData(4, true, "c74cd4391f9dc659ad51482893180c1fe4efdd89c13dd3142f6441d3d275cd53")]
    [InlineData(6, true, "699458788ff5a8008b8ab852945da49cd2d17dfd2394191376d0ce1d8a8dd492")]
    [InlineData(13, false, "b7c0c25a8440870836e3eb51488d4ba6349a7259f93666b41b2d375dd6e770cd")]
    [InlineData(13, true, "68aba976575354ca28d05f8c6036cf85abbc3b1430d5cfd48d83706d79faeebb")]
    [InlineData(14, true, "0fa96527916514bc3556bf5f78cbe828b235f59b1402b6c8c9a7e62c41d69e08")]
    [InlineData(29, true, "25ea0a0c706fc25a85baf8564511f7ce8cac7a69a4617b3d58aff4f48b5be916")]
    public void A_commit_that_names_its_image_has_the_checksum_that_ostree_gives_it(int keys, bool bootable, string checksum)
    {
        using var scratch = new ScratchDirectory();
        Prepare(scratch, "archive");
        string[] metadata = [.. Enumerable.Range(0, keys).Select(static i => $"--add-metadata-string=key.{i * i}=v{i}")];
        Assert.Equal(checksum, Commit(scratch, [.. bootable ? (string[])["--bootable"] : [], .. metadata]));
        Assert.Equal(Digest, Ostree(scratch, "show", "--print-hex", "--print-metadata-key=ostree.composefs.digest.v0", "main").Ok().OutputLine);
    }

    [Theory]
    [InlineData("bare")]
    [InlineData("bare-user")]
    [InlineData("bare-user-only")]
    [InlineData("archive")]
    public void An_image_is_written_with_and_without_digests(string mode)
    {
        using var scratch = new ScratchDirectory();
        Prepare(scratch, mode);
        Commit(scratch);
        scratch.Write("main.cfs", "in the way");
        Assert.Equal("", Ostree(scratch, "checkout", "--composefs", "main", scratch["main.cfs"]).Ok().Output);
        Ostree(scratch, "checkout", "--composefs-noverity", "main", scratch["plain.cfs"]).Ok();
        Assert.Equal("aa9a740644fbdb16800d7abc913b79556b28ec83737db77696107608c76dfb33", Sha256("main.cfs"));
        Assert.Equal("3fdfaa7245a49ab35d5083eac54a86aeda7efa06632665e6cea9865a0f77300e", Sha256("plain.cfs"));
        Assert.Equal("644", Tool.Run("stat", "-c", "%a", scratch["main.cfs"]).Ok().OutputLine);

        string Sha256(string name) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(scratch[name])));
    }

    [Fact]
    public void An_image_that_is_not_the_one_that_was_named_is_not_left()
    {
        using var scratch = new ScratchDirectory();
        Prepare(scratch, "archive");
        Commit(scratch);
        Ostree(scratch, "commit", "-b", "bad", "--tree=ref=main", $"--add-metadata=ostree.composefs.digest.v0=[{string.Join(", ", Enumerable.Repeat("byte 0x13", 32))}]").Ok();
        ToolResult result = Ostree(scratch, "checkout", "--composefs", "bad", scratch["bad.cfs"]);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal($"error: Generated composefs image digest ({Digest}) doesn't match expected digest ({string.Concat(Enumerable.Repeat("13", 32))})", result.Error.Trim());
        Assert.False(File.Exists(scratch["bad.cfs"]));
    }

    [Theory]
    [InlineData("-H")]
    [InlineData("-C")]
    [InlineData("-z")]
    [InlineData("-M")]
    [InlineData("--union-add")]
    [InlineData("--whiteouts")]
    [InlineData("--disable-cache")]
    [InlineData("--skip-list=none")]
    [InlineData("--subpath=/usr")]   // which the real one ignores
    public void What_changes_or_chooses_on_the_way_does_not_go_with_an_image(string option)
    {
        using var scratch = new ScratchDirectory();
        Prepare(scratch, "archive");
        ToolResult result = Ostree(scratch, "checkout", "--composefs", option, "main", scratch["main.cfs"]);
        Assert.Equal((1, "error: Specified options are incompatible with --composefs"), (result.ExitCode, result.Error.Trim()));
    }

    private static void Prepare(ScratchDirectory scratch, string mode)
    {
        scratch.Write("tree/usr/lib/modules/6.1.0-test/vmlinuz", "kernel");
        scratch.Write("tree/usr/bin/tool", "tool\n");
        Tool.Shell("chmod 755 tree/usr/bin/tool; ln -s ../bin/tool tree/usr/lib/link", scratch.Path).Ok();
        OurProgram.Ostree("init", "--repo=" + scratch["repo"], "--mode=" + mode).Ok();
    }

    private static string Commit(ScratchDirectory scratch, params string[] options) =>
        Ostree(scratch, ["commit", "-b", "main", "--generate-composefs-metadata", .. Canonical, .. options, scratch["tree"]]).Ok().OutputLine;

    private static ToolResult Ostree(ScratchDirectory scratch, params string[] arguments) => OurProgram.Ostree([arguments[0], "--repo=" + scratch["repo"], .. arguments[1..]]);
}
