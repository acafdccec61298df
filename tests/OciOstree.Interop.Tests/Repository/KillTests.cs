using System.Diagnostics;
using System.Globalization;

namespace OciOstree.Interop.Tests;

/// <summary>
/// SIGKILL at random instants, with two processes on the repository: whatever was going on, the real program finds the repository sound,
/// every ref leads to a commit, and the next run completes. <c>OCI_OSTREE_KILLS=200</c> asks for more than every run can afford, <c>OCI_OSTREE_SEED=S</c> for other instants.
/// </summary>
public sealed class KillTests : IDisposable
{
    // Two are killed a round, in three tests.
    private static readonly int Rounds = (Number("OCI_OSTREE_KILLS", 60) + 5) / 6;

    private readonly ScratchDirectory scratch = new("kill");
    private readonly Random random = new(Number("OCI_OSTREE_SEED", 20260101));

    private int killed, finished;

    // A run takes less where an earlier one has left objects, and more on a busy machine: the instants follow what was hit.
    private double stretch = 2.5;

    public KillTests()
    {
        TreeBuilder.Build(scratch["tree"], shape: new TreeShape { EmptyXattrs = false, RandomFiles = 300, LargeFiles = false });
        Real("init", "source", "--mode=bare");
        for (int i = 0; i < 4; i++)
        {
            scratch.Write($"tree/version-{i}/file", $"{i}");
            Real("commit", "source", $"--branch=branch-{i % 2}", $"--tree=dir={scratch["tree"]}");
        }
    }

    public void Dispose() => scratch.Dispose();

    private static int Number(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value) ? value : otherwise;

    private ToolResult Real(string verb, string repo, params string[] arguments) => Tool.Run("ostree", [verb, $"--repo={scratch[repo]}", .. arguments]).Ok();

    private ToolResult Ours(string verb, string repo, params string[] arguments) => OurProgram.Ostree([verb, $"--repo={scratch[repo]}", .. arguments]);

    private Process Start(string verb, string repo, params string[] arguments)
    {
        ProcessStartInfo start = new(OurProgram.Path("ostree")) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in (string[])[verb, $"--repo={scratch[repo]}", .. arguments])
            start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    /// <summary>Runs something, twice at a time if there are two of it, and kills each at some instant of the time that it may take.</summary>
    private void RunAndKill(TimeSpan duration, params Func<Process>[] starts)
    {
        Process[] running = [.. starts.Select(start => start())];
        foreach (Process process in running)
        {
            Thread.Sleep(duration * random.NextDouble() * stretch / running.Length);
            process.Kill();
        }
        foreach (Process process in running)
        {
            process.WaitForExit();
            bool late = process.ExitCode == 0;
            _ = late ? finished++ : killed++;
            stretch = Math.Clamp(stretch * (late ? 0.8 : 1.15), 0.05, 5);
            process.Dispose();
        }
    }

    /// <summary>The instants were spread over the whole run, not all before or after it.</summary>
    private void AssertHitBothWays() => Assert.True(killed > 5 && finished > 0, $"{killed} killed, {finished} finished");

    private void AssertSound(string repo)
    {
        ToolResult fsck = Tool.Run("ostree", "fsck", $"--repo={scratch[repo]}");
        Assert.True(fsck.ExitCode == 0, fsck.Error + fsck.Output);
        foreach (string name in Real("refs", repo).OutputLines)
            Real("ls", repo, "-R", name);
    }

    /// <summary>The same again on what the killed ones left, on a copy: the rounds to come go on from the wreck.</summary>
    private void AssertNextRunsComplete(params Action<string>[] runs)
    {
        Tool.Run("cp", "-a", scratch["repo"], scratch["again"]).Ok();
        foreach (Action<string> run in runs)
            run("again");
        AssertSound("again");
        Tool.Run("rm", "-rf", scratch["again"]).Ok();
    }

    private TimeSpan Measure(Func<ToolResult> run)
    {
        long start = Stopwatch.GetTimestamp();
        run().Ok();
        return Stopwatch.GetElapsedTime(start);
    }

    [Theory]
    [InlineData("bare")]
    [InlineData("archive")]
    public void Pulling(string mode)
    {
        Real("init", "warm", $"--mode={mode}");
        TimeSpan duration = Measure(() => Ours("pull-local", "warm", scratch["source"], "--depth=-1"));
        for (int round = 0; round < Rounds; round++)
        {
            if (round % 5 == 0)
            {
                Tool.Run("rm", "-rf", scratch["repo"]).Ok();
                Real("init", "repo", $"--mode={mode}");
            }
            RunAndKill(duration, () => Start("pull-local", "repo", scratch["source"], "--depth=-1"), () => Start("pull-local", "repo", scratch["source"], "branch-1"));
            AssertSound("repo");
            AssertNextRunsComplete(repo => Ours("pull-local", repo, scratch["source"], "--depth=-1").Ok());
        }
        Ours("pull-local", "repo", scratch["source"], "--depth=-1").Ok();
        AssertSound("repo");
        foreach (string name in Real("refs", "source").OutputLines)
            Assert.Equal(Real("rev-parse", "source", name).Output, Real("rev-parse", "repo", name).Output);
        AssertHitBothWays();
    }

    [Fact]
    public void Committing_and_pruning()
    {
        Real("init", "repo", "--mode=bare");
        Ours("pull-local", "repo", scratch["source"], "--depth=-1").Ok();
        Tool.Run("cp", "-a", scratch["repo"], scratch["full"]).Ok();
        TimeSpan duration = Measure(() => Ours("commit", "repo", "--branch=new", $"--tree=dir={scratch["tree"]}"));
        for (int round = 0; round < Rounds; round++)
        {
            if (round % 5 == 0)
            {
                Tool.Run("rm", "-rf", scratch["repo"]).Ok();
                Tool.Run("cp", "-a", scratch["full"], scratch["repo"]).Ok();
            }
            scratch.Write("tree/changing", $"{round}");
            RunAndKill(duration, () => Start("prune", "repo", "--refs-only", "--depth=0"), () => Start("commit", "repo", "--branch=new", $"--tree=dir={scratch["tree"]}"));
            AssertSound("repo");
            AssertNextRunsComplete(repo => Ours("commit", repo, "--branch=new", $"--tree=dir={scratch["tree"]}").Ok(), repo => Ours("prune", repo, "--refs-only", "--depth=0").Ok());
        }
        Ours("commit", "repo", "--branch=new", $"--tree=dir={scratch["tree"]}").Ok();
        Ours("prune", "repo", "--refs-only").Ok();
        AssertSound("repo");
        Ours("fsck", "repo").Ok();
        AssertHitBothWays();
    }
}
