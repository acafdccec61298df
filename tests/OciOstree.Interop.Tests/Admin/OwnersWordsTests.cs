using System.Text.Json;

namespace OciOstree.Interop.Tests.Admin;

/// <summary>The machine owner's words that need no image: kernel arguments, pins, cleaning up, and what status says of a branch.</summary>
public sealed class OwnersWordsTests : IDisposable
{
    private readonly AdminScene scene = new();

    public OwnersWordsTests()
    {
        scene.MakeSysroot("sysroot", AdminProgram.Ours);
        foreach (string version in new[] { "os/v1", "os/v4" })
        {
            AdminProgram.Ours.Run("deploy", $"--sysroot={Sysroot}", "--os=testos", "--karg=root=x", version).Ok();
        }
    }

    private string Sysroot => scene["sysroot"];

    public void Dispose() => scene.Dispose();

    private ToolResult Run(params string[] arguments) => OurProgram.Run([.. arguments, "--sysroot", Sysroot]);

    [Fact]
    public void Kernel_arguments_are_shown_and_changed()
    {
        Assert.Equal("root=x", Run("kargs").Ok().OutputLine);
        Assert.Equal("Kernel arguments of the next boot: root=y quiet", Run("kargs", "--replace=root=y", "--append=quiet").Ok().OutputLine);
        Assert.Equal("No changes.", Run("kargs", "--append-if-missing=quiet", "--delete-if-present=none").Ok().OutputLine);
        Assert.Equal("error: No key 'nope' found\n", Run("kargs", "--delete=nope").Failed().Error);
        Assert.Equal("root=y quiet", Run("kargs").Ok().OutputLine);
        Assert.Equal(2, Tool.Run("ostree", "admin", "status", $"--sysroot={Sysroot}").Ok().OutputLines.Count(line => line.Contains("refspec", StringComparison.Ordinal)));
    }

    [Fact]
    public void Kernel_arguments_are_edited_and_numbered()
    {
        ToolResult edited = Tool.Run(new ToolStart(OurProgram.Path("oci-ostree")) { Environment = new Dictionary<string, string?> { ["VISUAL"] = "sed -i s/root=x/root=z/" } }, "kargs", "--editor", "--sysroot", Sysroot).Ok();
        Assert.Equal("Kernel arguments of the next boot: root=z", edited.OutputLine);
        Assert.Equal("root=x", Run("kargs", "--deploy-index=1").Ok().OutputLine);
        ToolResult failed = Tool.Run(new ToolStart(OurProgram.Path("oci-ostree")) { Environment = new Dictionary<string, string?> { ["VISUAL"] = "false" } }, "kargs", "--editor", "--sysroot", Sysroot).Failed();
        Assert.Equal("error: false: exit code 1, nothing is changed\n", failed.Error);
        Assert.Equal(77, (int)Run("kargs", "--unchanged-exit-77", "--append-if-missing=root=q").ExitCode);
        using JsonDocument json = JsonDocument.Parse(Run("kargs", "--json").Ok().Output);
        Assert.Equal("root=z", Assert.Single(json.RootElement.GetProperty("kernelArguments").EnumerateArray()).GetString());
    }

    [Fact]
    public void A_pinned_deployment_outlives_the_next_ones_until_it_is_given_up()
    {
        Assert.Equal("Pinned: os/v1 (version 1)", Run("pin", "1").Ok().OutputLine);
        Assert.Equal("Pinned already: os/v1 (version 1)", Run("pin", "1").Ok().OutputLine);
        AdminProgram.Ours.Run("deploy", $"--sysroot={Sysroot}", "--os=testos", "os/v5").Ok();
        Assert.Equal(["5", "4", "1"], Versions());
        Run("pin", "--unpin", "2").Ok();
        Run("cleanup").Ok();
        Assert.Equal(["5", "4", "1"], Versions());
        AdminProgram.Ours.Run("undeploy", $"--sysroot={Sysroot}", "2").Ok();
        Assert.Equal("Nothing to remove", Run("cleanup").Ok().OutputLine);
        Assert.StartsWith("error: Out of range deployment index 7", Run("pin", "7").Failed().Error);
    }

    [Fact]
    public void Status_in_json_is_as_documented()
    {
        using JsonDocument status = JsonDocument.Parse(Run("status", "--json").Ok().Output);
        Assert.Equal(1, status.RootElement.GetProperty("schemaVersion").GetInt32());
        JsonElement first = status.RootElement.GetProperty("deployments")[0];
        string documentation = File.ReadAllText(Path.Combine(OurProgram.CheckoutRoot, "docs/status-json.md"));
        foreach (JsonProperty member in status.RootElement.EnumerateObject().Concat(first.EnumerateObject()))
        {
            Assert.Contains($"`{member.Name}`", documentation);
        }
        Assert.Equal("os/v4", first.GetProperty("refspec").GetString());
        Assert.Equal("testos", first.GetProperty("ostree").GetProperty("stateroot").GetString());
        Assert.Equal(64, first.GetProperty("ostree").GetProperty("checksum").GetString()!.Length);
        Assert.True(first.GetProperty("default").GetBoolean());
        Assert.Equal(JsonValueKind.Null, first.GetProperty("image").ValueKind);
    }

    private string[] Versions()
    {
        using JsonDocument status = JsonDocument.Parse(Run("status", "--json").Ok().Output);
        return [.. status.RootElement.GetProperty("deployments").EnumerateArray().Select(d => d.GetProperty("version").GetString()!)];
    }
}
