using System.Text.Json;

namespace OciOstree.Interop.Tests.Machine;

public sealed partial class MachineTests
{
    [Fact]
    public void An_older_image_is_taken_only_when_told()
    {
        MakeSysroot();
        PushVersion("2", date: "@1717243200");
        Deploy();
        PushVersion("1", date: "@1706702400");
        string check = Ours("upgrade", "--check").Ok().OutputLine;
        Assert.Contains("of 2024-01-31T12:00:00Z, older than what is deployed, of 2024-06-01T12:00:00Z", check);
        Assert.Equal(
            $"error: {Follows} (version 1) is of 2024-01-31T12:00:00Z, older than what is deployed, of 2024-06-01T12:00:00Z; --allow-downgrade takes it nevertheless\n",
            Ours("upgrade").Failed().Error);
        Assert.Equal(["2"], Versions());
        Ours("upgrade", "--allow-downgrade").Ok();
        Assert.Equal(["1", "2"], Versions());

        // Another name is another line of versions.
        PushVersion("0", tag: "ancient", date: "@1577880000");
        Ours("rebase", $"ostree-unverified-image:oci:{scratch["images"]}:ancient", "--target-imgref", Follows).Ok();
        Assert.Equal(["0", "1"], Versions());
        using var status = JsonDocument.Parse(Ours("status", "--json").Ok().Output);
        Assert.Equal(Follows, status.RootElement.GetProperty("deployments")[0].GetProperty("image").GetProperty("reference").GetString());
    }

    [Fact]
    public void What_was_downloaded_is_deployed_without_the_registry()
    {
        MakeSysroot();
        PushVersion("1");
        Deploy();
        Assert.Contains("Nothing was downloaded", Ours("upgrade", "--from-downloaded").Failed().Error);
        PushVersion("2");
        Assert.Contains("--from-downloaded", Ours("upgrade", "--download-only").Ok().Output);
        Assert.Equal(["1"], Versions());
        Directory.Move(scratch["images"], scratch["gone"]);
        Ours("upgrade", "--from-downloaded", "--apply").Ok();
        Assert.Equal(["2", "1"], Versions());
        Assert.Equal(2, (int)Ours("upgrade", "--check", "--download-only").ExitCode);
        Assert.Equal(2, (int)Ours("upgrade", "--check", "--reboot").ExitCode);
    }

    [Fact]
    public void A_merge_is_shown_before_it_is_done()
    {
        MakeSysroot();
        PushVersion("1");
        Deploy();
        Assert.Contains("There is no other version", Ours("config-diff", "--merge").Failed().Error);
        string etc = Assert.Single(Directory.GetDirectories(Sysroot + "/ostree/deploy/os/deploy")) + "/etc";
        File.WriteAllText(etc + "/default", "mine");
        File.WriteAllText(etc + "/own", "mine");
        Assert.Equal(["M    default", "A    own"], Ours("config-diff").Ok().OutputLines);
        scratch.Write("tree2/usr/etc/fresh", "x");
        PushVersion("2");
        Ours("upgrade", "--download-only").Ok();
        string[] before = State();
        using (var plan = JsonDocument.Parse(Ours("config-diff", "--merge", "--json").Ok().Output))
        {
            string[] List(string name) => [.. plan.RootElement.GetProperty(name).EnumerateArray().Select(path => path.GetString()!)];
            Assert.Equal("2", plan.RootElement.GetProperty("intoVersion").GetString());
            Assert.Equal(["default"], List("conflicts"));
            Assert.Equal(["own"], List("kept"));
            Assert.Equal(["fresh"], List("new"));
        }
        Assert.Equal(before, State());
        File.WriteAllText(etc + "/directory", "x");
        scratch.Write("tree3/usr/etc/directory/x", "x");
        PushVersion("3");
        Ours("upgrade", "--download-only").Ok();
        ToolResult refused = Ours("config-diff", "--merge");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("    directory", refused.OutputLines);
        Assert.Contains("newly defaults to directory 'directory'", Ours("upgrade", "--from-downloaded").Failed().Error);
    }

    [Fact]
    public void Status_says_what_is_shared_and_what_a_rollback_gives()
    {
        MakeSysroot();
        PushVersion("1");
        Deploy();
        Assert.DoesNotContain("A rollback", Ours("status").Ok().Output);
        PushVersion("2");
        Ours("upgrade").Ok();
        string text = Ours("status").Ok().Output;
        Assert.Contains($"A rollback would boot: {Follows} (version 1)", text);
        Assert.Matches(@"Layers: +\d+ \(.*\), \d+ of them \(.*\) shared with the first deployment", text);
        using var status = JsonDocument.Parse(Ours("status", "--json").Ok().Output);
        Assert.Equal(1, status.RootElement.GetProperty("rollbackTarget").GetInt32());
        JsonElement layers = status.RootElement.GetProperty("deployments")[1].GetProperty("image").GetProperty("layers");
        Assert.InRange(layers.GetProperty("sharedCount").GetInt32(), 0, layers.GetProperty("count").GetInt32() - 1);
        Assert.False(status.RootElement.GetProperty("deployments")[0].GetProperty("image").GetProperty("layers").TryGetProperty("sharedCount", out _));
        string documentation = File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "docs/status-json.md"));
        foreach (JsonProperty member in status.RootElement.GetProperty("deployments")[0].GetProperty("image").EnumerateObject())
            Assert.Contains($"`image.{member.Name}`", documentation);

        PushVersion("3");
        Ours("upgrade", "--check").Ok();
        Assert.Contains("Update:", Ours("status").Ok().Output);
        Assert.Contains("Forgot the update", Ours("cleanup", "-m").Ok().Output);
        Assert.DoesNotContain("Update:", Ours("status").Ok().Output);
        Ours("cleanup", "-p", "-r").Ok();
    }
}
