using System.CommandLine;

namespace OciOstree.Cli.Ostree;

/// <summary>
/// One of ostree's own verbs. Its words are checked by the verb itself, with ostree's complaints; as in ostree, words too many are no error.
/// </summary>
internal sealed class OstreeVerb : Verb
{
    private readonly Argument<string[]> words;

    /// <param name="syntax">The words after the options, for help.</param>
    public OstreeVerb(string name, string description, string syntax, params string[] examples)
        : base(name, description, examples)
    {
        Syntax = syntax;
        words = Opts.Rest(syntax.Length > 0 ? syntax : "WORDS", syntax);
        words.Hidden = syntax.Length == 0;
        Add(words);
    }

    /// <summary>Whether it works on a repository, named by <c>--repo</c> or found.</summary>
    public bool UsesRepo { get; init; } = true;

    public OstreeVerb Does(Action<OstreeCall> action)
    {
        SetAction(parsed =>
        {
            using var call = new OstreeCall(parsed, parsed.GetValue(words) ?? []);
            action(call);
            return ExitCodes.Ok;
        });
        return this;
    }
}
