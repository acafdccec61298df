using System.CommandLine;

namespace OciOstree.Cli;

/// <summary>
/// GOption takes <c>--flag=anything</c> for <c>--flag</c>, and scripts have come to write <c>--gpg-verify=true</c>; System.CommandLine
/// would make a word of what follows the sign.
/// </summary>
internal static class FlagValues
{
    /// <param name="args">The words of a call, of which the command's come first.</param>
    public static string[] Drop(RootCommand root, string[] args)
    {
        List<Option> options = [.. root.Options];
        Command command = root;
        var result = (string[])args.Clone();
        for (var i = 0; i < args.Length && args[i] != "--"; i++)
        {
            if (!args[i].StartsWith('-'))
            {
                if (command.Subcommands.FirstOrDefault(c => c.Name == args[i]) is { } next)
                {
                    command = next;
                    options.AddRange(next.Options);
                }

                continue;
            }

            var equals = args[i].IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? args[i] : args[i][..equals];
            if (options.Find(o => o.Name == name || o.Aliases.Contains(name)) is not { } option)
            {
                continue;
            }

            if (option.Arity.MaximumNumberOfValues == 0)
            {
                result[i] = name;
            }
            else if (equals < 0)
            {
                i++; // its value, whatever that looks like
            }
        }

        return result;
    }
}
