using System.CommandLine;
using System.Text;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>One call of an ostree verb: its options and words, its repository, and its output.</summary>
internal sealed class OstreeCall(ParseResult parsed, string[] words) : IDisposable
{
    private Repo? repo;
    private TextWriter? output;

    public IReadOnlyList<string> Words => words;

    /// <summary>The repository given or found, opened at the first use.</summary>
    public Repo Repo => repo ??= OpenRepo();

    /// <summary>The path given with <c>--repo</c>.</summary>
    public string? RepoPath => parsed.GetValue(Globals.Repo);

    /// <summary>Standard output, buffered: listings have many lines.</summary>
    public TextWriter Out => output ??= Console.IsOutputRedirected
        ? new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 32 << 10)
        : Console.Out;

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>Whether an option was given at all.</summary>
    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>A usage error with the verb's help if there are fewer words.</summary>
    public void Need(int count, string complaint)
    {
        if (words.Length < count)
            throw new UsageException(complaint, withHelp: true);
    }

    public void Print(string line)
    {
        Out.Write(line);
        Out.Write('\n');
    }

    public void Dispose()
    {
        output?.Flush();
        repo?.Dispose();
    }

    /// <summary>
    /// Where the repository is that no option names: the current directory if it is one, <c>OSTREE_REPO</c>, else the system's.
    /// </summary>
    public static string DefaultRepoPath()
    {
        if (Directory.Exists("objects") && File.Exists("config"))
            return ".";
        if (Environment.GetEnvironmentVariable("OSTREE_REPO") is { Length: > 0 } named)
            return named;
        return Directory.Exists("/sysroot/ostree/repo") ? "/sysroot/ostree/repo" : "/ostree/repo";
    }

    private Repo OpenRepo()
    {
        if (RepoPath is { } given)
            return Open(given);
        string path = DefaultRepoPath();
        if (!Directory.Exists(path))
            throw new UsageException("Command requires a --repo argument", withHelp: true);
        return Open(path);
    }

    /// <summary>Opens a repository, with ostree's words where there is none.</summary>
    public static Repo Open(string path)
    {
        try
        {
            Repo repo = Repo.Open(path);
            repo.Locking.Notice = Console.Error.WriteLine;
            return repo;
        }
        catch (RepositoryException e) when (e.InnerException is LinuxException { Errno: Errno.ENOENT or Errno.ENOTDIR } cause)
        {
            string full = Path.GetFullPath(path);
            string missing = !Directory.Exists(full) ? $"opendir({full})"
                : $"{full} is no repository: " + (Directory.Exists(Path.Combine(full, "objects")) ? "openat(config)" : "opendir(objects)");
            throw new RepositoryException($"opening repo: {missing}: {ErrorText.Of(cause)}");
        }
    }
}
