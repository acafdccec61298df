using System.CommandLine;
using System.CommandLine.Parsing;

namespace OciOstree.Cli;

/// <summary>
/// Makes options and arguments that behave as GOption's do, since users bring their <c>ostree</c> habits and scripts:
/// a flag takes no value, and of a repeated single-valued option the last one counts.
/// </summary>
internal static class Opts
{
    public static Option<bool> Flag(string name, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, Arity = ArgumentArity.Zero };

    public static Option<string?> Value(string name, string placeholder, string description, params string[] aliases) =>
        new(name, aliases)
        {
            Description = description,
            HelpName = placeholder,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result => result.Tokens[^1].Value,
        };

    /// <summary>A number of 32 bits, as GOption's are.</summary>
    public static Option<long?> Number(string name, string placeholder, string description, params string[] aliases) =>
        new(name, aliases)
        {
            Description = description,
            HelpName = placeholder,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = result =>
            {
                var text = result.Tokens[^1].Value;
                if (!System.Numerics.BigInteger.TryParse(text, System.Globalization.NumberStyles.AllowLeadingSign, null, out var number))
                {
                    result.AddError($"Cannot parse integer value “{text}” for {name}");
                    return null;
                }

                if (number >= int.MinValue && number <= int.MaxValue)
                {
                    return (long)number;
                }

                result.AddError($"Integer value “{text}” for {name} out of range");
                return null;
            },
        };

    /// <summary>An option that may be given several times; every value counts, in the order given.</summary>
    public static Option<string[]> Many(string name, string placeholder, string description, params string[] aliases) =>
        new(name, aliases)
        {
            Description = description,
            HelpName = placeholder,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
            CustomParser = AllTokens,
            DefaultValueFactory = _ => [],
        };

    /// <summary>Lets a shell complete the option with values that are usual, or all that there are.</summary>
    public static Option<T> Offering<T>(this Option<T> option, params string[] values)
    {
        option.CompletionSources.Add(values);
        return option;
    }

    public static Argument<string> Required(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.ExactlyOne };

    public static Argument<string?> Optional(string name, string description) =>
        new(name) { Description = description, Arity = ArgumentArity.ZeroOrOne };

    public static Argument<string[]> Rest(string name, string description, int atLeast = 0) =>
        new(name)
        {
            Description = description,
            Arity = new ArgumentArity(atLeast, 100_000),
            CustomParser = AllTokens,
            DefaultValueFactory = _ => [],
        };

    private static string[] AllTokens(ArgumentResult result)
    {
        var values = new string[result.Tokens.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = result.Tokens[i].Value;
        }

        return values;
    }
}
