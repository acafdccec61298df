namespace OciOstree.Sysroot.Tests;

public sealed class HealthChecksTests : IDisposable
{
    private readonly ScratchDirectory root = new("checks");
    private readonly List<string> lines = [];

    public void Dispose() => root.Dispose();

    private void Script(string path, string body, bool executable = true)
    {
        root.Write(path, "#!/bin/sh\n" + body + "\n");
        Tool.Run("chmod", executable ? "755" : "644", root[path]).Ok();
    }

    private HealthChecks Checks(int seconds = 60, params string[] disabled) => new(root.Path, TimeSpan.FromSeconds(seconds), line => { lock (lines) { lines.Add(line); } }, disabled);

    [Fact]
    public void All_places_are_looked_into_and_all_checks_run()
    {
        Script("usr/lib/greenboot/check/required.d/10-image.sh", "echo from the image; exit 0");
        Script("etc/greenboot/check/required.d/20-owner.sh", "echo oops >&2; exit 3");
        Script("etc/oci-ostree/boot-check.d/ours", "exit 0");
        Script("usr/lib/greenboot/check/wanted.d/soft", "exit 1");
        Script("etc/oci-ostree/boot-check.wanted.d/text", "exit 1", executable: false);
        IReadOnlyList<HealthCheck> results = Checks().Run();
        Assert.Equal(
            [("/usr/lib/greenboot/check/required.d/10-image.sh", true, true), ("/etc/greenboot/check/required.d/20-owner.sh", true, false), ("/etc/oci-ostree/boot-check.d/ours", true, true),
                ("/usr/lib/greenboot/check/wanted.d/soft", false, false)],
            results.Select(r => (r.Path, r.IsRequired, r.Passed)));
        Assert.Equal("exit code 3", results[1].Problem);
        Assert.Contains("/etc/greenboot/check/required.d/20-owner.sh: oops", lines);
        Assert.Contains("/etc/oci-ostree/boot-check.wanted.d/text is not executable: it is not run", lines);
    }

    [Fact]
    public void The_owner_hides_and_switches_off()
    {
        Script("usr/lib/greenboot/check/required.d/a", "exit 1");
        Script("usr/lib/greenboot/check/required.d/b", "exit 1");
        Script("usr/lib/greenboot/check/required.d/c", "exit 1");
        Script("etc/greenboot/check/required.d/a", "exit 0");
        File.CreateSymbolicLink(root["etc/greenboot/check/required.d/b"], "/dev/null");
        Assert.Equal(["/etc/greenboot/check/required.d/a"], Checks(60, "c").Run().Select(r => r.Path));
    }

    [Fact]
    public void A_check_that_does_not_end_is_ended()
    {
        Script("etc/oci-ostree/boot-check.d/hangs", "sleep 1000 & wait");
        HealthCheck result = Assert.Single(Checks(seconds: 1).Run());
        Assert.Equal("still running after 1 seconds, stopped", result.Problem);
        Assert.Null(result.ExitCode);
    }

    [Fact]
    public void A_program_without_an_interpreter_has_failed()
    {
        root.Write("etc/oci-ostree/boot-check.d/broken", "#!/no/such/interpreter\n");
        Tool.Run("chmod", "755", root["etc/oci-ostree/boot-check.d/broken"]).Ok();
        Assert.StartsWith("cannot be run", Assert.Single(Checks().Run()).Problem);
    }

    [Fact]
    public void The_right_ones_are_told()
    {
        Script("etc/greenboot/green.d/good", "exit 0");
        Script("usr/lib/oci-ostree/boot-red.d/bad", "exit 0");
        Assert.Equal(["/etc/greenboot/green.d/good"], Checks().Announce(good: true).Select(r => r.Path));
        Assert.Equal(["/usr/lib/oci-ostree/boot-red.d/bad"], Checks().Announce(good: false).Select(r => r.Path));
    }
}
