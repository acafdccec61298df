using System.CommandLine;

namespace OciOstree.Cli;

/// <summary>
/// GOption takes <c>--flag=anything</c> for <c>--flag</c>, and scripts have come to write <c>--gpg-verify=true</c>; System.CommandLine
/// would make a word of what follows the sign. Our own verbs refuse it: <c>--check=false</c> must not mean <c>--check</c>.
/// </summary>
internal static class FlagValues
{
    /// <param name="args">The words of a call, of which the command's come first.</param>
    /// <param name="always">Whether all commands are ostree's; otherwise its verbs for repositories and <c>admin</c> are.</param>
    /// <exception cref="UsageException">A value for a flag of our own verbs.</exception>
    public static string[] Drop(RootCommand root, string[] args, bool always)
    {
        bool asOstree = always;
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
                    asOstree |= next is Ostree.OstreeVerb || next.Name == "admin";
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
                result[i] = asOstree || equals < 0 ? name : throw new UsageException($"{name} takes no value", withHelp: false);
            }
            else if (equals < 0)
            {
                i++; // its value, whatever that looks like
            }
        }

        return result;
    }
}
