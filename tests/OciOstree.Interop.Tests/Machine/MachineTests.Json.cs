using System.Text.Json;
using System.Text.RegularExpressions;

namespace OciOstree.Interop.Tests.Machine;

public sealed partial class MachineTests
{
    // Members whose own members are data: names of labels, of directories.
    private static readonly string[] maps = ["labels", "annotations", "metadata", "dropped"];

    [Fact]
    public void What_is_printed_as_json_is_documented_and_nothing_else_is_printed()
    {
        MakeSysroot();
        PushVersion("1");
        PushVersion("1", tag: "first");
        Deploy();
        PushVersion("2");
        string repo = Sysroot + "/ostree/repo", image = $"oci:{scratch["images"]}:os";
        Documented("upgrade", "upgrade", "--sysroot", Sysroot, "--check");
        Documented("upgrade", "upgrade", "--sysroot", Sysroot);
        Documented("rebase", "rebase", "--sysroot", Sysroot, $"ostree-unverified-image:oci:{scratch["images"]}:first");
        Documented("deploy", "deploy", "--sysroot", Sysroot, "--stateroot=os", "--imgref", $"ostree-unverified-image:{image}");
        Documented("kargs", "kargs", "--sysroot", Sysroot);
        Documented("config-diff", "config-diff", "--sysroot", Sysroot);
        Documented("config-diff --merge", "config-diff", "--sysroot", Sysroot, "--merge", image);
        Documented("boot-check", "boot-check", "--dry-run", "--root", scratch.MakeDirectory("checks"));
        Documented("inspect", "inspect", image);
        Documented("container encapsulate", "container", "encapsulate", "--repo", scratch["repo"], "os/2", $"oci:{scratch["again"]}:1");
        Documented("container unencapsulate", "container", "unencapsulate", "--repo", repo, "--write-ref=x", $"ostree-unverified-image:{image}");
        Documented("container info", "container", "info", image);
        Documented("container info", "container", "info", "--repo", repo, image);
        Documented("container compare", "container", "compare", $"oci:{scratch["images"]}:first", image);
        Documented("container lint", "container", "lint", "--rootfs", scratch["tree1"]);
        Documented("container lint --list", "container", "lint", "--list");
        Documented("container image list", "container", "image", "list", "--repo", repo);
        Documented("container image history", "container", "image", "history", "--repo", repo, image);
        OurProgram.Run("init", "--repo", scratch["other"], "--mode=bare").Ok();
        Documented("container image pull", "container", "image", "pull", scratch["other"], $"ostree-unverified-image:{image}");
        Documented("container image pull --check", "container", "image", "pull", scratch["other"], $"ostree-unverified-image:oci:{scratch["images"]}:first", "--check", scratch["newer"]);
        Documented("container image copy", "container", "image", "copy", image, $"oci:{scratch["copy"]}:1");
        Documented("container image copy", "container", "image", "copy", "--src-repo", repo, "--dest-repo", scratch["other"], image);
        Documented("reexport", "container", "image", "reexport", "--repo", repo, image, $"oci:{scratch["copy"]}:2");
        Documented("push", "container", "image", "push", "--repo", repo, image, $"dir:{scratch["pushed"]}");
        Documented("replace-detached-metadata", "container", "image", "replace-detached-metadata", "--src", image, "--dest", $"oci:{scratch["copy"]}:3");
        Documented("container image remove", "container", "image", "remove", "--repo", scratch["other"], image);
        Documented("prune-layers", "container", "image", "prune-layers", "--repo", scratch["other"]);
        Documented("prune-images", "container", "image", "prune-images", "--sysroot", Sysroot, "--full");
        Documented("oci-ostree status --json", "status", "--sysroot", Sysroot);
    }

    private static void Documented(string heading, params string[] words)
    {
        // A lint that finds something fails, and prints what it found.
        ToolResult result = OurProgram.Run([.. words, "--json"]);
        Assert.True(result.ExitCode == 0 || heading == "container lint", result.Error);
        using JsonDocument printed = JsonDocument.Parse(result.Output);
        Assert.DoesNotContain('\u001b', result.Output + result.Error);
        string docs = File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "docs/json.md")) + File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "docs/status-json.md"));
        // From the command's name to the next one's; what is said once for two commands counts for both.
        string[] sections = [.. Regex.Split(docs, @"(?=^(?:\*\*`|# |## ))", RegexOptions.Multiline).Where(section => section.Split('\n')[0].Contains($"`{heading}`", StringComparison.Ordinal))];
        Assert.NotEmpty(sections);
        string section = string.Concat(sections) + (heading == "container image pull" ? docs[docs.IndexOf("**`container image list`**", StringComparison.Ordinal)..] : "");
        HashSet<string> known = [.. Regex.Matches(section, "`([^`]+)`").Select(match => match.Groups[1].Value.Split('.')[^1])];
        Assert.All(Members(printed.RootElement).Distinct(), member => Assert.Contains(member, known));
    }

    private static IEnumerable<string> Members(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => value.EnumerateObject().SelectMany(member => (maps.Contains(member.Name) && member.Value.ValueKind == JsonValueKind.Object ? [] : Members(member.Value)).Prepend(member.Name)),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Members),
        _ => [],
    };
}
