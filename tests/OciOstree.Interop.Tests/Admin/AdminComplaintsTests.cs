namespace OciOstree.Interop.Tests.Admin;

/// <summary>What admin verbs say where they cannot or need not do anything, beside the real program: the same text and the same exit code.</summary>
public sealed class AdminComplaintsTests : IDisposable
{
    private readonly AdminScene scene = new();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void The_words_and_codes_are_ostrees()
    {
        scene.MakeSysroot("root", AdminProgram.Real);
        AdminProgram.Real.Run("deploy", $"--sysroot={scene["root"]}", "--os=testos", "os/v1").Ok();
        foreach (string words in new[]
        {
            "unlock", "unlock --hotfix --transient", "instutil selinux-ensure-labeled", "set-origin remote file:///nowhere", "set-origin --index=7 remote file:///nowhere x",
            "set-origin --index=0 --set=nonsense remote file:///nowhere x", "pin", "pin 9", "undeploy 4", "deploy nope", "deploy --os=testos nope", "switch", "upgrade", "upgrade --pull-only --deploy-only",
            "config-diff", "config-diff --os=nope", "init-fs", "set-origin remote", "nope", "unlock word",
        })
        {
            string[] arguments = [.. words.Split(' '), $"--sysroot={scene["root"]}"];
            ToolResult real = AdminProgram.Real.Run(arguments);
            ToolResult ours = AdminProgram.Ours.Run(arguments);
            Assert.Equal($"{words}: {real.ExitCode} {real.Output} {LastLine(real)}", $"{words}: {ours.ExitCode} {ours.Output} {LastLine(ours)}");
        }
        AdminProgram.Ours.Run("set-origin", $"--sysroot={scene["root"]}", "--index=0", "--set=gpg-verify=false", "remote", "file:///srv/repo").Ok();
        Assert.Equal("file:///srv/repo", Tool.Run("ostree", "remote", "show-url", $"--repo={scene["root/ostree/repo"]}", "remote").Ok().OutputLine);
        Assert.Contains("origin refspec: remote:os/v1", Tool.Run("ostree", "admin", "status", $"--sysroot={scene["root"]}").Ok().Output);
    }

    private static string LastLine(ToolResult result) => result.Error.TrimEnd().Split('\n')[^1];
}
