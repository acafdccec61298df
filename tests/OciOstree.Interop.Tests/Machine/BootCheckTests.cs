using System.Text.Json;

namespace OciOstree.Interop.Tests.Machine;

/// <summary>The checks of a tree that is not booted; what follows from a boot is tested where the sysroot is.</summary>
public sealed class BootCheckTests : IDisposable
{
    private readonly ScratchDirectory root = new("bootcheck");

    public void Dispose() => root.Dispose();

    [Fact]
    public void A_dry_run_tells_and_its_exit_code_says_it()
    {
        root.Write("usr/lib/oci-ostree/boot-check.d/good", "#!/bin/sh\necho all is well\n");
        root.Write("etc/oci-ostree/boot-check.conf", "CHECK_TIMEOUT=20\nDISABLED_HEALTHCHECKS=(\"off\")\n");
        root.Write("etc/greenboot/check/required.d/off", "#!/bin/sh\nexit 1\n");
        Tool.Shell("chmod -R a+x usr etc", root.Path).Ok();
        ToolResult good = Run().Ok();
        Assert.Contains("/usr/lib/oci-ostree/boot-check.d/good: all is well", good.OutputLines);
        Assert.Equal("Boot is healthy: 1 required check passed", good.OutputLines[^1]);

        root.Write("etc/greenboot/check/required.d/bad", "#!/bin/sh\nexit 7\n");
        Tool.Shell("chmod a+x etc/greenboot/check/required.d/bad", root.Path).Ok();
        ToolResult bad = Run("--json");
        Assert.Equal(1, bad.ExitCode);
        using JsonDocument json = JsonDocument.Parse(bad.Output);
        Assert.False(json.RootElement.GetProperty("healthy").GetBoolean());
        JsonElement failed = json.RootElement.GetProperty("checks").EnumerateArray().Single(check => !check.GetProperty("passed").GetBoolean());
        Assert.Equal("/etc/greenboot/check/required.d/bad", failed.GetProperty("path").GetString());
        Assert.Equal("exit code 7", failed.GetProperty("problem").GetString());

        root.Write("etc/oci-ostree/boot-check.conf", "MAX_BOOT_ATTEMPTS=none\n");
        Assert.Contains("'MAX_BOOT_ATTEMPTS=none' is no number above zero", Run().Failed().Error);
    }

    private ToolResult Run(params string[] more) => OurProgram.Run(["boot-check", "--dry-run", "--root", root.Path, .. more]);
}
