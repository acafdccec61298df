using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace OciOstree.Cli;

/// <summary>
/// What the program is called as decides its words: <c>oci-ostree</c> knows all of them; <c>ostree</c> is ostree's command line;
/// <c>ostree-container</c> is the extension that a stock ostree runs for <c>ostree container …</c>.
/// </summary>
internal sealed class Personality
{
    private readonly string name;
    private readonly List<(string Heading, int End)> sections = [];

    private Personality(string name) => this.name = name;

    public string Name => name;

    /// <summary>Called as ostree: help and complaints have its form.</summary>
    public bool IsOstree => name == "ostree";

    /// <summary>What the list of commands is divided into: a heading, and the place in the list behind its last command.</summary>
    public IReadOnlyList<(string Heading, int End)> Sections => sections;

    /// <summary>Lines that the help of the program itself ends with.</summary>
    public IReadOnlyList<string> Examples => name == "ostree-container"
        ? ["ostree-container encapsulate --repo=repo os docker://quay.io/example/os:latest", "ostree-container image pull repo ostree-unverified-registry:quay.io/example/os:latest"]
        : ["oci-ostree status", "oci-ostree upgrade --check", "oci-ostree inspect docker://quay.io/example/os:latest", "oci-ostree container encapsulate --help"];

    public static Personality Named(string calledAs) => new(calledAs is "ostree" or "ostree-container" ? calledAs : "oci-ostree");

    /// <summary>
    /// What wrong usage exits with. ostree's own commands exit with 1, and scripts written for it know no other code; ostree-ext, which it runs for
    /// <c>ostree container</c>, exits with 2.
    /// </summary>
    public int UsageExitCode(ParseResult? parsed) => IsOstree && !IsInContainer(parsed?.CommandResult) ? ExitCodes.Failed : ExitCodes.Usage;

    public RootCommand Build(ref string[] args)
    {
        var root = new RootCommand(Description()) { Globals.Verbose };
        switch (name)
        {
            case "ostree":
                args = CommandFirst(args);
                root.Add(Globals.Repo);
                Ostree.OstreeVerbs.AddTo(root);
                root.Add(Admin.AdminVerbs.Group());
                root.Add(Container.ContainerVerbs.Group());
                TolerateExtraWords(root);
                break;
            case "ostree-container":
                // A stock ostree passes on its own word: ostree-container container encapsulate …
                args = args is ["container", ..] ? args[1..] : args;
                root.Add(Globals.Repo);
                Container.ContainerVerbs.AddTo(root);
                Container.ContainerVerbs.AddOthersTo(root);
                // A deployment that it makes starts it again by the same name.
                root.Add(new Verb("admin", "Internal commands", "ostree admin impl-thaw /boot") { Admin.ThawCommand.Create() }.Hide());
                break;
            default:
                args = args is ["help", .. var asked] ? [.. asked, "--help"] : args;
                root.Add(Globals.Repo);
                Section(root, "This machine", Machine.MachineVerbs.AddTo);
                Section(root, "Images", commands =>
                {
                    commands.Add(Container.InspectCommand.Create());
                    commands.Add(Container.ContainerVerbs.Group());
                    Container.ContainerVerbs.AddOthersTo(commands);
                });
                Section(root, "Repositories and deployments, in ostree's words", commands =>
                {
                    Ostree.OstreeVerbs.AddTo(commands);
                    commands.Add(Admin.AdminVerbs.Group());
                });
                Section(root, "Your shell", commands => commands.Add(CompletionCommand.Create()));
                break;
        }

        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction standard } help)
            {
                // Windows' words for help are paths here: "ls main /h".
                help.Aliases.Remove("/h");
                help.Aliases.Remove("/?");
                help.Action = new VerbHelp(standard, this);
            }
            else if (option is VersionOption version)
            {
                version.Action = new VersionAction(name);
            }
        }

        return root;
    }

    private void Section(RootCommand root, string heading, Action<Command> add)
    {
        add(root);
        sections.Add((heading, root.Subcommands.Count));
    }

    private static bool IsInContainer(CommandResult? command)
    {
        for (; command is not null; command = command.Parent as CommandResult)
        {
            if (command is { Command.Name: "container", Parent: CommandResult { Command: RootCommand } })
            {
                return true;
            }
        }

        return false;
    }

    private string Description() => name switch
    {
        "ostree" => "Manage ostree repositories, deployments and container images (oci-ostree)",
        "ostree-container" => "Ostree commits as container images (oci-ostree)",
        _ => "Encode ostree commits as container images, pull them back, and deploy them as bootable systems",
    };

    // ostree passes over words that a command has no use for, and scripts have come to contain some.
    private static void TolerateExtraWords(Command command)
    {
        foreach (var subcommand in command.Subcommands)
        {
            subcommand.TreatUnmatchedTokensAsErrors = subcommand.Subcommands.Count > 0;
            TolerateExtraWords(subcommand);
        }
    }

    /// <summary>
    /// ostree takes the first word that is no option for the command, wherever it stands, and likewise within a group of commands:
    /// <c>ostree --repo=R remote --set=K=V add NAME URL</c>.
    /// </summary>
    private static string[] CommandFirst(string[] args)
    {
        var rest = args.ToList();
        var commands = new List<string>();
        while (commands.Count == 0 || commands is ["remote" or "admin"])
        {
            var at = rest.FindIndex(word => !word.StartsWith('-'));
            // A path after "--repo" is the option's, though ostree itself would take it for a command.
            while (at > 0 && rest[at - 1] is "--repo" or "--sysroot")
            {
                at = rest.FindIndex(at + 1, word => !word.StartsWith('-'));
            }

            if (at < 0 || rest.IndexOf("--") is >= 0 and var end && end < at)
            {
                break;
            }

            commands.Add(rest[at]);
            rest.RemoveAt(at);
        }

        return [.. commands, .. rest];
    }
}
