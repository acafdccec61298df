using System.CommandLine;
using System.Diagnostics;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary><c>boot-check</c>: judges the boot that runs, and falls back when a new deployment does not come up well.</summary>
internal static class BootCheckCommand
{
    public static Command Create()
    {
        var begin = Opts.Flag("--begin", "Only count this boot, early in it; give up a deployment whose tries ended before they could be judged");
        var dryRun = Opts.Flag("--dry-run", "Run the checks, but draw no conclusions: nothing is marked, rolled back or rebooted");
        var attempts = Opts.Number("--attempts", "NUMBER", "How often a new deployment is tried (default: as configured, else 3)");
        var timeout = Opts.Number("--timeout", "SECONDS", "How long each check may take (default: as configured, else 300)");
        var noReboot = Opts.Flag("--no-reboot", "Decide, but leave the reboot to the caller");
        var root = Opts.Value("--root", "PATH", "Take checks and settings from below PATH instead of /");
        var json = Opts.Flag("--json", "Print the result as JSON");
        var verb = new Verb(
            "boot-check",
            "Run the health checks of this boot, mark it good, or fall back to the deployment before",
            "oci-ostree boot-check --dry-run",
            "oci-ostree boot-check --root=rootfs --dry-run")
        {
            begin, dryRun, attempts, timeout, noReboot, root, json,
        };
        var machine = new MachineSysroot().AddTo(verb);
        return verb.Does(parsed =>
        {
            var from = parsed.GetValue(root) ?? "/";
            var settings = BootCheckSettings.Read(from);
            settings = settings with
            {
                Attempts = Positive(parsed.GetValue(attempts), attempts) ?? settings.Attempts,
                Timeout = Positive(parsed.GetValue(timeout), timeout) is { } seconds ? TimeSpan.FromSeconds(seconds) : settings.Timeout,
            };
            TextWriter talk = parsed.GetValue(json) ? Console.Error : Console.Out;
            var lines = new Lock();
            var checks = new HealthChecks(from, settings.Timeout, line => { lock (lines) { talk.WriteLine(line); } }, settings.Disabled);

            if (parsed.GetValue(begin))
            {
                using var early = machine.Open(parsed);
                var beginning = new BootHealth(early);
                return Conclude(early, beginning, beginning.Begin(settings.Attempts), [], isFailed: false);
            }

            if (!parsed.GetValue(dryRun))
            {
                // This may start the program again: once the checks have run it would run them twice.
                machine.MakeWritable(parsed);
            }

            var results = checks.Run(Entry.Cancellation);
            var failed = results.Any(check => check.IsRequired && !check.Passed);
            if (parsed.GetValue(dryRun))
            {
                talk.WriteLine(Sentence(results, failed));
                if (parsed.GetValue(json))
                {
                    Output.Json(writer => BootCheckJson.Write(writer, results, failed, verdict: null, givenUp: null));
                }

                return failed ? ExitCodes.Failed : ExitCodes.Ok;
            }

            using var sysroot = machine.Open(parsed);
            var health = new BootHealth(sysroot);
            if (!failed)
            {
                health.MarkGood();
            }

            checks.Announce(good: !failed, Entry.Cancellation);
            return Conclude(sysroot, health, failed ? health.Fail(settings.Attempts) : BootVerdict.Continue, results, failed);

            int Conclude(Sysroot.Sysroot opened, BootHealth of, BootVerdict verdict, IReadOnlyList<HealthCheck> judged, bool isFailed)
            {
                var what = of.GivenUp is { } givenUp ? MachineStatus.Name(opened, givenUp) : MachineStatus.Name(opened, of.Booted);
                var sentence = verdict switch
                {
                    BootVerdict.Retry => $"{what} failed its health checks (try {of.Tries} of {settings.Attempts}): it is tried again",
                    BootVerdict.RolledBack => $"{what} was given up after {settings.Attempts} tries: {MachineStatus.Name(opened, opened.Deployments[0])} boots instead",
                    BootVerdict.FellBack => $"{what} was given up by the boot loader: {MachineStatus.Name(opened, of.Booted)} is the default again",
                    BootVerdict.Stay => $"{what} failed its health checks; it is not rolled back, as it {(BootHealth.StateOf(opened, of.Booted) == HealthState.Unproven ? "is all there is to boot" : "has booted well before")}",
                    _ => isFailed || judged.Count > 0 || !parsed.GetValue(begin) ? Sentence(judged, isFailed) : "",
                };
                if (sentence.Length > 0)
                {
                    talk.WriteLine(sentence);
                    WriteMessageOfTheDay(opened, sentence);
                }

                if (parsed.GetValue(json))
                {
                    Output.Json(writer => BootCheckJson.Write(writer, judged, isFailed, verdict, of.GivenUp));
                }

                if (verdict is BootVerdict.Retry or BootVerdict.RolledBack && !parsed.GetValue(noReboot))
                {
                    opened.Dispose();   // its lock would outlive us into the shutdown
                    using var process = Process.Start("systemctl", ["--no-block", "reboot"]);
                    process.WaitForExit();
                }

                return isFailed ? ExitCodes.Failed : ExitCodes.Ok;
            }
        });
    }

    private static string Sentence(IReadOnlyList<HealthCheck> results, bool failed)
    {
        var required = results.Count(check => check.IsRequired);
        var wanted = results.Count(check => !check.IsRequired && !check.Passed);
        return failed
            ? $"Boot is not healthy: {string.Join(", ", results.Where(check => check.IsRequired && !check.Passed).Select(check => $"{check.Path} ({check.Problem})"))}"
            : $"Boot is healthy: {required} required {(required == 1 ? "check" : "checks")} passed{(wanted > 0 ? $", {wanted} wanted failed" : "")}";
    }

    /// <summary>Who logs in sees it.</summary>
    private static void WriteMessageOfTheDay(Sysroot.Sysroot sysroot, string sentence)
    {
        if (sysroot.IsBooted)
        {
            Directory.CreateDirectory("/run/motd.d");
            File.WriteAllText("/run/motd.d/boot-status", sentence + "\n");
        }
    }

    private static int? Positive(long? number, Option<long?> option) =>
        number is null ? null
        : number is > 0 and <= 1_000_000 ? (int)number
        : throw new UsageException($"{option.Name} must be above zero");
}
