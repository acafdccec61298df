using OciOstree.Formats.GVariant;
using OciOstree.Linux;

namespace OciOstree.Container;

/// <summary>
/// Where layers' content outside of <c>usr</c> and <c>etc</c> goes, by its top-level directory, as far as somebody chose. What nobody chose: <c>var</c> is kept,
/// <c>run tmp proc sys dev</c> are dropped, and so is any other, unless the base has a transient root or there is no base.
/// </summary>
public sealed class TopLevelRules : IEquatable<TopLevelRules>
{
    /// <summary>In the place of a name: all directories that have no rule of their own, <c>var</c> and those that a booting system mounts left aside.</summary>
    public const string Others = "*";

    private static readonly string[] ApiFileSystems = ["run", "tmp", "proc", "sys", "dev"];

    private readonly SortedDictionary<string, TopLevelRule> rules;

    private TopLevelRules(SortedDictionary<string, TopLevelRule> rules) => this.rules = rules;

    /// <summary>Nobody chose anything.</summary>
    public static TopLevelRules Default { get; } = new([]);

    public bool IsDefault => rules.Count == 0;

    /// <summary>The rules as they are written, <c>opt=keep</c>, in order of the names.</summary>
    public IEnumerable<string> Texts => rules.Select(rule => $"{rule.Key}={Text(rule.Value)}");

    /// <summary>Reads <c>NAME=keep</c>, <c>NAME=drop</c> and <c>NAME=factory</c>; <c>default</c> alone is <see cref="Default"/>.</summary>
    /// <exception cref="FormatException">One of them is none of these, or its name cannot be chosen for.</exception>
    public static TopLevelRules Parse(params IReadOnlyList<string> texts)
    {
        if (texts is ["default"])
        {
            return Default;
        }

        var rules = new SortedDictionary<string, TopLevelRule>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            var equals = text.LastIndexOf('=');
            var name = equals < 0 ? "" : text[..equals].Trim('/');
            if (name.Length == 0 || ParseRule(text[(equals + 1)..]) is not { } rule)
            {
                throw new FormatException($"'{text}' is no rule for a top-level directory: NAME=keep, NAME=drop or NAME=factory");
            }

            if (name is "usr" or "etc" or "sysroot" or "ostree" or "." or ".." || name.Contains('/') || LayerPath.IsWhiteout(name) || !FileName.IsUtf8(name))
            {
                throw new FormatException($"there is no choice about '{name}'{(name.Contains('/') ? ", which is no top-level directory" : "")}");
            }

            rules[name] = rule;
        }

        return new TopLevelRules(rules);
    }

    /// <param name="keepOthers">Whether a directory that nobody chose for stays.</param>
    internal TopLevelRule Of(string name, bool keepOthers)
    {
        if (rules.TryGetValue(name, out var chosen))
        {
            return chosen;
        }

        return IsApiFileSystem(name) ? TopLevelRule.Drop
            : name == "var" ? TopLevelRule.Keep
            : rules.TryGetValue(Others, out var others) ? others
            : keepOthers ? TopLevelRule.Keep : TopLevelRule.Drop;
    }

    internal static bool IsApiFileSystem(string name) => Array.IndexOf(ApiFileSystems, name) >= 0;

    internal static string Text(TopLevelRule rule) => rule switch
    {
        TopLevelRule.Keep => "keep",
        TopLevelRule.Drop => "drop",
        _ => "factory",
    };

    internal static TopLevelRule? ParseRule(string text) => text switch
    {
        "keep" => TopLevelRule.Keep,
        "drop" => TopLevelRule.Drop,
        "factory" => TopLevelRule.Factory,
        _ => null,
    };

    internal Variant ToVariant() => Variant.Strings(Texts);

    /// <summary>What a commit remembers; rules that this version does not know are none.</summary>
    internal static TopLevelRules FromVariant(Variant? stored)
    {
        try
        {
            return stored is null ? Default : Parse(stored.AsStrings());
        }
        catch (FormatException)
        {
            return Default;
        }
    }

    public bool Equals(TopLevelRules? other) => other is not null && rules.SequenceEqual(other.rules);

    public override bool Equals(object? obj) => Equals(obj as TopLevelRules);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    public override string ToString() => IsDefault ? "default" : string.Join(' ', Texts);
}
