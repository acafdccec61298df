using System.CommandLine;
using OciOstree.Cli.Container;
using OciOstree.Container;
using OciOstree.Registry;

namespace OciOstree.Cli.Machine;

/// <summary>The options of the words that bring an image to this machine.</summary>
internal sealed class UpdateOptions
{
    private readonly Option<bool> allowFailed = Opts.Flag("--allow-failed", "Take the image though its boots on this machine failed their health checks");
    private readonly Option<string[]> topLevels = TopLevelOption.Create();
    private readonly Option<bool> noLabels = LabelOption.Create();
    private readonly Option<bool> quiet = Opts.Flag("--quiet", "Don't display progress", "-q");
    private readonly Option<bool> json = Opts.Flag("--json", "Print the result as JSON");

    public UpdateOptions AddTo(Command verb)
    {
        foreach (var option in (Option[])[allowFailed, topLevels, noLabels, quiet, json])
        {
            verb.Add(option);
        }

        return this;
    }

    public bool WantsJson(ParseResult parsed) => parsed.GetValue(json);

    /// <summary>What they ask for.</summary>
    public UpdateRequest Read(ParseResult parsed, string stateroot, OstreeImageReference reference, RegistryOptions registry) => new()
    {
        Stateroot = stateroot,
        Reference = reference,
        Follow = reference,
        Registry = registry,
        AllowFailed = parsed.GetValue(allowFailed),
        TopLevels = TopLevelOption.Read(parsed, topLevels),
        Labels = !parsed.GetValue(noLabels),
        Quiet = parsed.GetValue(quiet),
        Json = parsed.GetValue(json),
    };
}
