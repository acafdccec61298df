using System.Text.RegularExpressions;

namespace OciOstree.Interop.Tests;

/// <summary>What ostree-ext's own test does to a machine with its program, done with ours by the name that a stock ostree runs: deploy, look, remove, undeploy, prune.</summary>
public sealed class PeerScriptTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("peer-script");
    private readonly string sysroot, repo;

    public PeerScriptTests()
    {
        sysroot = scratch.MakeDirectory("sysroot");
        repo = Path.Combine(sysroot, "ostree/repo");
    }

    public void Dispose()
    {
        Tool.Shell($"chattr -i {sysroot}/ostree/deploy/*/deploy/* 2>/dev/null; true");
        scratch.Dispose();
    }

    private static string Golden(string name) => Path.Combine(OurProgram.CheckoutRoot, "tests/OciOstree.Container.Tests/golden", name);

    // A stock ostree passes on its own word.
    private static ToolResult Ext(params string[] arguments) => Tool.Run(new ToolStart(OurProgram.Path("ostree-container")), arguments);

    private ToolResult Image(string verb, params string[] arguments) => Ext(["container", "image", verb, .. arguments]);

    private ToolResult Deploy(params string[] arguments) => Image("deploy", ["--sysroot", sysroot, "--stateroot", "testos", .. arguments]);

    private int Count(string what) => int.Parse(Tool.Shell(what).Ok().OutputLine);

    private void Admin(params string[] arguments) => Tool.Run("ostree", ["admin", "--sysroot=" + sysroot, .. arguments]).Ok();

    [Fact]
    public void What_the_peers_script_expects_is_so()
    {
        string archive = Golden("alpha-single.ociarchive"), image = "oci-archive:" + archive;
        Admin("init-fs", "--modern", sysroot);
        Tool.Run("ostree", "config", "--repo", repo, "set", "sysroot.bootloader", "none").Ok();
        Admin("os-init", "testos");
        Assert.Equal("No unreferenced images.", Image("prune-images", "--sysroot", sysroot).Ok().OutputLine);

        // Whole references, then names with a transport.
        Deploy("--imgref", "ostree-unverified-image:" + image).Ok();
        Assert.Contains("testos ", Tool.Run("ostree", "admin", "status", "--sysroot=" + sysroot).Ok().Output);
        Assert.Contains("\"schemaVersion\":2", Image("metadata", "--repo", repo, image).Ok().Output);
        Image("remove", "--repo", repo, image).Ok();
        Admin("undeploy", "0");
        Deploy("--transport", "oci-archive", "--image", archive).Ok();
        Admin("undeploy", "0");
        Assert.Matches("insecureAcceptAnything.*refusing usage", Deploy("--transport", "oci-archive", "--image", archive, "--enforce-container-sigpolicy").Failed().Error);
        Assert.Equal("Removed: " + image, Image("prune-images", "--sysroot", sysroot).Ok().OutputLine);
        Assert.Equal("", Image("list", "--repo", repo).Ok().Output);

        // To remove an image that is deployed costs only its name; without the deployment its layers go, then its objects.
        Deploy("--imgref", "ostree-unverified-image:" + image).Ok();
        int refs = Count($"ostree --repo={repo} refs | wc -l");
        Image("remove", "--repo", repo, image).Ok();
        Assert.Equal(refs - 1, Count($"ostree --repo={repo} refs | wc -l"));
        Admin("undeploy", "0");
        Image("prune-layers", "--repo=" + repo).Ok();
        Assert.Equal(0, Count($"ostree --repo={repo} refs | wc -l"));
        Assert.NotEqual(0, Count($"find {repo} -name '*.commit' | wc -l"));
        Image("prune-images", "--full", "--sysroot=" + sysroot).Ok();
        Assert.Equal(0, Count($"find {repo} -name '*.commit' | wc -l"));

        string compared = Ext("container", "compare", image, "ostree-unverified-image:" + image).Ok().Output;
        Assert.Matches(new Regex("^Removed layers: *0 *Size: 0 bytes$", RegexOptions.Multiline), compared);
        Assert.Matches(new Regex("^Added layers: *0 *Size: 0 bytes$", RegexOptions.Multiline), compared);

        // What a build made, from a layout and from plain files: deployed again it is the same commit.
        Tool.Run("skopeo", "copy", "oci-archive:" + Golden("alpha-derived.ociarchive"), $"oci:{scratch["derived"]}").Ok();
        Tool.Run("skopeo", "copy", $"oci:{scratch["derived"]}", $"dir:{scratch["files"]}").Ok();
        Deploy("--imgref", $"ostree-unverified-image:oci:{scratch["derived"]}").Ok();
        string Commit() => Tool.Shell($"ostree --repo={repo} rev-parse ostree/container/image/$(ostree refs --repo={repo} ostree/container/image | head -1)").Ok().OutputLine;
        string first = Commit();
        Image("remove", "--repo", repo, $"oci:{scratch["derived"]}").Ok();
        Deploy("--imgref", $"ostree-unverified-image:oci:{scratch["derived"]}").Ok();
        Assert.Equal(first, Commit());
        Deploy("--imgref", $"ostree-unverified-image:dir:{scratch["files"]}").Ok();
        Image("remove", "--repo", repo, $"dir:{scratch["files"]}").Ok();
    }
}
