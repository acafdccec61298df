using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using OciOstree.Linux;

namespace OciOstree.Cli;

/// <summary>
/// Prints what failed on one line, outermost first: <c>error: Importing X: Fetching layer Y: connection reset</c>. Names in it may be anybody's, so nothing that a terminal
/// would obey is printed as it is.
/// </summary>
internal static partial class Failure
{
    public static void Print(Exception e, bool verbose)
    {
        Console.Error.WriteLine($"error: {Describe(e)}");
        if (verbose)
        {
            Console.Error.WriteLine(e);
        }
    }

    /// <summary>Says what is wrong but does not stop the command; safe to call from several threads.</summary>
    public static void Warn(Exception e) => Console.Error.WriteLine($"warning: {Describe(e)}");

    public static string Describe(Exception e)
    {
        var text = new StringBuilder();
        for (var at = Unwrap(e); at is not null; at = at.InnerException is null ? null : Unwrap(at.InnerException))
        {
            var message = JsonPlace().Replace(at.Message.ReplaceLineEndings(" ").Trim(), place => $" (line {int.Parse(place.Groups[2].ValueSpan, CultureInfo.InvariantCulture) + 1})");
            message = string.Join('\t', message.Split('\t').Select(FileName.ForDisplay));
            // A wrapper that repeats its cause would say everything twice.
            if (text.Length > 0 && text.ToString().EndsWith(message, StringComparison.Ordinal))
            {
                continue;
            }

            text.Append(text.Length > 0 ? ": " : "").Append(message);
        }

        return text.ToString();
    }

    // Where a text stopped being JSON, in .NET's words, which count lines from 0.
    [GeneratedRegex(@"\.?( Path: \S+ \|)? LineNumber: (\d{1,9}) \| BytePositionInLine: \d+\.")]
    private static partial Regex JsonPlace();

    // Work spread over threads fails as an aggregate; the first cause is the one to tell.
    private static Exception Unwrap(Exception e)
    {
        while (e is AggregateException { InnerExceptions.Count: > 0 } aggregate)
        {
            e = aggregate.InnerExceptions[0];
        }

        return e;
    }
}
