using System.CommandLine;

namespace OciOstree.Cli;

/// <summary>A command with the example that its help ends with.</summary>
internal class Verb : Command
{
    public Verb(string name, string description, params string[] examples)
        : base(name, description)
    {
        Examples = examples;
    }

    /// <summary>Lines that a user could paste, without a prompt.</summary>
    public IReadOnlyList<string> Examples { get; }

    /// <summary>The words after the options as ostree's help shows them; null derives them from the arguments.</summary>
    public string? Syntax { get; protected set; }

    /// <summary>Sets <see cref="Syntax"/>: ostree's help names words without saying which may be left out.</summary>
    public Verb Takes(string syntax)
    {
        Syntax = syntax;
        return this;
    }

    /// <summary>Keeps a verb that only other programs call out of the help.</summary>
    public Verb Hide()
    {
        Hidden = true;
        return this;
    }

    /// <summary>Sets what the verb does; it returns the exit code.</summary>
    public Verb Does(Func<ParseResult, int> action)
    {
        SetAction(action);
        return this;
    }

    /// <summary>Sets what the verb does; it either succeeds or throws.</summary>
    public Verb Does(Action<ParseResult> action)
    {
        SetAction(parsed =>
        {
            action(parsed);
            return ExitCodes.Ok;
        });
        return this;
    }
}
