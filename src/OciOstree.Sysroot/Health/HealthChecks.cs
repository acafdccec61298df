using System.ComponentModel;
using System.Diagnostics;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// The programs that judge a boot, and those that are told of the judgement. greenboot's directories are looked into as well as our own; a name in <c>/etc</c> hides the same
/// name of the same kind in <c>/usr/lib</c>, and one that is not executable (or a link to <c>/dev/null</c>) is not run: so is a check switched off.
/// </summary>
public sealed class HealthChecks
{
    private readonly string root;
    private readonly TimeSpan timeout;
    private readonly Action<string> tell;
    private readonly HashSet<string> disabled;

    /// <param name="root">Below which the directories are, <c>/</c> on a running system.</param>
    /// <param name="timeout">For each program.</param>
    /// <param name="tell">Gets what happens and what the programs print, a line at a time.</param>
    /// <param name="disabled">Names of checks not to run.</param>
    public HealthChecks(string root, TimeSpan timeout, Action<string> tell, IEnumerable<string>? disabled = null)
    {
        this.root = root;
        this.timeout = timeout;
        this.tell = tell;
        this.disabled = [.. disabled ?? []];
    }

    /// <summary>Runs all checks, also after a failure: whoever repairs the machine wants to know all of them.</summary>
    public IReadOnlyList<HealthCheck> Run(CancellationToken cancellation = default) =>
    [
        .. Find("greenboot/check/required.d", "oci-ostree/boot-check.d").Select(path => RunOne(path, isRequired: true, cancellation)),
        .. Find("greenboot/check/wanted.d", "oci-ostree/boot-check.wanted.d").Select(path => RunOne(path, isRequired: false, cancellation)),
    ];

    /// <summary>Runs what wants to know of a good or a bad boot. Their failure changes nothing.</summary>
    public IReadOnlyList<HealthCheck> Announce(bool good, CancellationToken cancellation = default) =>
        [.. Find($"greenboot/{(good ? "green" : "red")}.d", $"oci-ostree/boot-{(good ? "green" : "red")}.d").Select(path => RunOne(path, isRequired: false, cancellation))];

    /// <summary>The programs of one kind by name; each directory is below <c>/usr/lib</c> and <c>/etc</c>.</summary>
    private List<string> Find(params ReadOnlySpan<string> directories)
    {
        var found = new List<string>();
        foreach (string directory in directories)
        {
            var byName = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (string place in new[] { $"usr/lib/{directory}", $"etc/{directory}" })
            {
                string path = Path.Combine(root, place);
                foreach (string file in Directory.Exists(path) ? Directory.EnumerateFiles(path) : [])
                {
                    byName[Path.GetFileName(file)] = file;
                }
            }
            foreach ((string name, string file) in byName)
            {
                if (disabled.Contains(name))
                {
                    tell($"{Shown(file)} is switched off");
                }
                else if (!IsProgram(file))
                {
                    tell($"{Shown(file)} is not executable: it is not run");
                }
                else
                {
                    found.Add(file);
                }
            }
        }
        return found;
    }

    // A link to /dev/null leads to no regular file.
    private static bool IsProgram(string path) => Files.TryStatus(path) is { IsRegularFile: true } file && (file.Permissions & 0x49 /* 0111 */) != 0;

    private string Shown(string path) => "/" + Path.GetRelativePath(root, path);

    private HealthCheck RunOne(string path, bool isRequired, CancellationToken cancellation)
    {
        string shown = Shown(path);
        var watch = Stopwatch.StartNew();
        int? exitCode = null;
        string? problem = null;
        try
        {
            using var process = new Process { StartInfo = new ProcessStartInfo(path) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" } };
            // Not disposed: an end of output may come after all.
            var ends = new CountdownEvent(2);
            // Two threads of the runtime's tell; lines of one program may meet those of none other.
            process.OutputDataReceived += (_, line) => TellLine(line.Data, ends);
            process.ErrorDataReceived += (_, line) => TellLine(line.Data, ends);
            process.Start();
            process.StandardInput.Close();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            using CancellationTokenRegistration stop = cancellation.Register(() => process.Kill(entireProcessTree: true));
            if (process.WaitForExit(timeout))
            {
                exitCode = process.ExitCode;
                // What it left running may keep its output open: that is not waited for.
                ends.Wait(TimeSpan.FromSeconds(1), cancellation);
                problem = exitCode == 0 ? null : $"exit code {exitCode}";
            }
            else
            {
                process.Kill(entireProcessTree: true);
                problem = $"still running after {timeout.TotalSeconds:0} seconds, stopped";
            }
        }
        catch (Win32Exception e)
        {
            problem = $"cannot be run: {e.Message}";
        }
        cancellation.ThrowIfCancellationRequested();
        tell(problem is null ? $"{shown}: passed" : $"{shown}: {(isRequired ? "FAILED" : "failed")}: {problem}");
        return new HealthCheck(shown, isRequired, exitCode, problem, watch.Elapsed);

        void TellLine(string? line, CountdownEvent ends)
        {
            if (line is not null)
            {
                tell($"{shown}: {line}");
            }
            else
            {
                ends.Signal();
            }
        }
    }
}
