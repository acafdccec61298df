using OciOstree.Cli;

namespace OciOstree.Cli.Tests;

/// <summary>The program, called in this process by one of its names.</summary>
internal static class Called
{
    /// <summary>The names that it goes by.</summary>
    public static IReadOnlyList<string> Names { get; } = ["oci-ostree", "ostree", "ostree-container"];

    public static (int Code, string Output, string Error) Run(string calledAs, params string[] args)
    {
        // The console is the process's own: tests that read it must not run beside each other.
        lock (typeof(Console))
        {
            var (oldOut, oldError) = (Console.Out, Console.Error);
            using var output = new StringWriter { NewLine = "\n" };
            using var error = new StringWriter { NewLine = "\n" };
            Console.SetOut(output);
            Console.SetError(error);
            try
            {
                return (Entry.Run(calledAs, args), output.ToString(), error.ToString());
            }
            finally
            {
                Console.SetOut(oldOut);
                Console.SetError(oldError);
            }
        }
    }
}
