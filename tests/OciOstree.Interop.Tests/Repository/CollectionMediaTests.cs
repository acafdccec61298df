namespace OciOstree.Interop.Tests;

/// <summary>Refs that travel on a stick: each program writes one (<c>create-usb</c>), each finds and pulls what is on it (<c>find-remotes</c>).</summary>
public sealed class CollectionMediaTests
{
    private const string Collection = "org.example.Os";

    [Fact]
    public void Either_reads_the_stick_that_the_other_one_has_written() => PrivateMounts.Run(() =>
    {
        using ScratchDirectory scratch = new("stick");
        using GpgHome home = new();
        Tool.Run("mount", "-t", "tmpfs", "media", "/media").Ok();
        // Only what looks like a medium is looked at, and a file system in memory does not.
        Tool.Shell("truncate -s 16M image; mkfs.ext4 -q image; mkdir /media/stick; mount -o loop image /media/stick", scratch.Path).Ok();
        File.WriteAllBytes(scratch["keys"], home.Export(home.Trusted));
        scratch.Write("tree/usr/file", "content");
        Tool.Shell($"""
            ostree init --repo=source --mode=archive --collection-id={Collection}
            ostree commit --repo=source -b main --timestamp=@1700000000 tree
            ostree commit --repo=source -b other --timestamp=@1700000000 tree
            ostree gpg-sign --repo=source --gpg-homedir={home.Path} main {home.Trusted}
            ostree summary --repo=source -u
            """, scratch.Path).Ok();
        List<string> listings = [], sticks = [];
        foreach (string writer in Programs)
        {
            Site("site");
            Run("ostree", "pull", "--repo=site", "origin", "main", "other@" + Run("ostree", "rev-parse", "--repo=source", "main").OutputLine);
            Tool.Shell("rm -rf /media/stick/.ostree /media/stick/elsewhere").Ok();
            Assert.Equal($"Copied 1/1 refs successfully from ‘{scratch["site"]}’ to ‘.ostree/repo’ repository in ‘/media/stick’.\n", Run(writer, "create-usb", "--repo=site", "/media/stick", Collection, "main").Output);
            sticks.Add(Tool.Shell("cd /media/stick; find .ostree -type f ! -name '*.filez' ! -name summary ! -path '*/tmp/*' | sort | xargs sha256sum", scratch.Path).Ok().Output);
            foreach (string reader in Programs)
            {
                Site("client");
                string[] found = Run(reader, "find-remotes", "--repo=client", "--finders=mount", Collection, "main", Collection, "absent").OutputLines;
                Assert.Equal("Result 0: file:///media/stick/.ostree/repo", found[0]);
                Assert.Contains("1/2 refs were found.", found);
                // The time of the summary is its writer's, and the real one lists refs in the order of a hash.
                listings.Add(string.Join('\n', found.Where(line => !line.Contains("Summary last modified", StringComparison.Ordinal)).Order(StringComparer.Ordinal)));
                Assert.EndsWith("Pulled 1/1 refs successfully.\n", Run(reader, "find-remotes", "--repo=client", "--pull", "--finders=mount", Collection, "main").Output);
                Assert.Equal($"({Collection}, main)\n", Run("ostree", "refs", "--repo=client", "--collections").Output);
                Run("ostree", "fsck", "-q", "--repo=client");
                Run("ostree", "cat", "--repo=client", "origin:main", "/usr/file");
            }
            // Elsewhere on the stick, it is found by a link.
            Run(writer, "create-usb", "--repo=site", "--destination-repo=elsewhere/repo", "/media/stick", Collection, "main");
            Assert.Equal("../../elsewhere/repo", new FileInfo("/media/stick/.ostree/repos.d/00-generated").LinkTarget);
        }
        Assert.All(listings, listing => Assert.Equal(listings[0], listing));
        Assert.All(sticks, stick => Assert.Equal(sticks[0], stick));

        // Who trusts no such collection sees nothing of it, and a stick is not to be believed without a signature.
        foreach (string reader in Programs)
        {
            Tool.Shell("rm -rf client; ostree init --repo=client --mode=bare-user; ostree remote add --repo=client --collection-id=org.example.Other origin https://example.org", scratch.Path).Ok();
            Assert.Equal("No results.\n", Run(reader, "find-remotes", "--repo=client", "--finders=mount", Collection, "main").Output);
            File.WriteAllBytes(scratch["keys"], home.Export(home.Stranger));
            Site("client");
            File.WriteAllBytes(scratch["keys"], home.Export(home.Trusted));
            ToolResult refused = Tool.Run(new ToolStart(reader) { Directory = scratch.Path }, "find-remotes", "--repo=client", "--pull", "--finders=mount", Collection, "main");
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains($"Failed to pull some refs from the remotes: ({Collection}, main)", refused.Error);
            Assert.Equal("", Run("ostree", "refs", "--repo=client").Output);
        }
        Tool.Run("umount", "/media/stick").Ok();

        ToolResult Run(string program, params string[] words) => Tool.Run(new ToolStart(program) { Directory = scratch.Path }, words).Ok();

        void Site(string name) => Tool.Shell($"rm -rf {name}; ostree init --repo={name} --mode=bare-user; ostree remote add --repo={name} --gpg-import=keys --collection-id={Collection} origin file://$PWD/source", scratch.Path).Ok();
    });

    private static string[] Programs => ["ostree", OurProgram.Path("ostree")];
}
