using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Repository.Tests;

/// <summary>What the configuration asks of fs-verity. That the kernel then protects is for the boot tests, whose kernel has it.</summary>
public sealed class VerityTests
{
    [Theory]
    [InlineData("", Tristate.No, Tristate.No)]
    [InlineData("[ex-integrity]\ncomposefs=true\n", Tristate.Yes, Tristate.Maybe)]
    [InlineData("[ex-integrity]\ncomposefs= maybe \n", Tristate.Maybe, Tristate.Maybe)]
    [InlineData("[ex-integrity]\ncomposefs=yes\nfsverity=no\n", Tristate.Yes, Tristate.No)]
    [InlineData("[ex-integrity]\nfsverity=1\n", Tristate.No, Tristate.Yes)]
    [InlineData("[ex-integrity]\nfsverity=maybe\n[ex-fsverity]\nrequired=true\n", Tristate.No, Tristate.Maybe)]
    [InlineData("[ex-fsverity]\nrequired=true\n", Tristate.No, Tristate.Yes)]
    [InlineData("[ex-fsverity]\nopportunistic=true\n", Tristate.No, Tristate.Maybe)]
    public void The_configuration_says_what_is_wanted(string config, Tristate composefs, Tristate verity)
    {
        RepoSettings settings = RepoSettings.Read(KeyFile.Parse(System.Text.Encoding.UTF8.GetBytes("[core]\nrepo_version=1\nmode=bare\n" + config)));
        Assert.Equal((composefs, verity), (settings.Composefs, settings.FsVerity));
    }

    [Theory]
    [InlineData("composefs=perhaps")]
    [InlineData("fsverity=")]
    public void Anything_else_is_refused(string line) => Assert.Throws<RepositoryException>(() =>
        RepoSettings.Read(KeyFile.Parse(System.Text.Encoding.UTF8.GetBytes("[core]\nrepo_version=1\nmode=bare\n[ex-integrity]\n" + line + "\n"))));

    [Theory]
    [InlineData("-1", ulong.MaxValue)]
    [InlineData("0", 0)]
    [InlineData("4096x", 4096)]
    [InlineData("none", 0)]
    [InlineData("99999999999999999999", ulong.MaxValue)]
    public void The_threshold_of_payload_links_is_read_as_strtoull_reads(string text, ulong threshold) => Assert.Equal(threshold,
        RepoSettings.Read(KeyFile.Parse(System.Text.Encoding.UTF8.GetBytes($"[core]\nrepo_version=1\nmode=bare\npayload-link-threshold={text}\n"))).PayloadLinkThreshold);

    // A tmpfs never has it.
    [Fact]
    public void Where_the_file_system_cannot_protect_what_requires_it_fails_and_what_wishes_for_it_does_not()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("tree/file", "content");
        PrivateMounts.Run(() =>
        {
            Mounts.Mount("tmpfs", scratch.MakeDirectory("mounted"), "tmpfs");
            Repo.Create(scratch["mounted/repo"], RepoMode.Archive).Dispose();
            string config = File.ReadAllText(scratch["mounted/repo/config"]);
            File.WriteAllText(scratch["mounted/repo/config"], config + "[ex-integrity]\nfsverity=yes\n");
            using (Repo repo = Repo.Open(scratch["mounted/repo"]))
                Assert.Equal("fsverity required but filesystem does not support it", Assert.Throws<RepositoryException>(() => OurCommit.Directory(repo, scratch["tree"])).GetBaseException().Message);
            Assert.Empty(Directory.GetFiles(scratch["mounted/repo/objects"], "*", SearchOption.AllDirectories));
            File.WriteAllText(scratch["mounted/repo/config"], config + "[ex-integrity]\ncomposefs=yes\n");
            using (Repo repo = Repo.Open(scratch["mounted/repo"]))
                OurCommit.Directory(repo, scratch["tree"]);
            Assert.NotEmpty(Directory.GetFiles(scratch["mounted/repo/objects"], "*", SearchOption.AllDirectories));
        });
    }
}
