using System.CommandLine;

namespace OciOstree.Cli;

/// <summary>Prints the script that makes a shell ask us what could come next.</summary>
internal static class CompletionCommand
{
    // The program itself answers "[suggest:POSITION]" directives, so the scripts know no verb by name.
    private const string Bash = """
        _oci_ostree() {
            local IFS=$'\n'
            COMPREPLY=( $("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null | grep -F -- "${COMP_WORDS[COMP_CWORD]}") )
        }
        complete -o default -F _oci_ostree oci-ostree ostree-container
        """;

    private const string Zsh = """
        #compdef oci-ostree ostree-container
        _oci_ostree() {
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${#BUFFER}]" "$BUFFER" 2>/dev/null)}")
            compadd -a found || _files
        }
        compdef _oci_ostree oci-ostree ostree-container
        """;

    private const string Fish = """
        function __oci_ostree
            set -l line (commandline -cp)
            oci-ostree "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c oci-ostree -a '(__oci_ostree)'
        """;

    public static Command Create()
    {
        var shell = Opts.Required("SHELL", "bash, zsh or fish");
        shell.CompletionSources.Add("bash", "zsh", "fish");
        return new Verb("completion", "Print a completion script for a shell", "source <(oci-ostree completion bash)") { shell }.Does(parsed =>
        {
            var script = parsed.GetValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                "fish" => Fish,
                var other => throw new UsageException($"Unknown shell {other}: bash, zsh and fish are known"),
            };
            Console.Out.WriteLine(script);
        });
    }
}
