using System.CommandLine;

namespace OciOstree.Cli;

/// <summary>Prints the script that makes a shell ask us what could come next.</summary>
internal static class CompletionCommand
{
    // The program itself answers "[suggest:POSITION]" directives, so the scripts know no verb by name.
    private const string Bash = """
        _oci_ostree() {
            local IFS=$'\n' word=${COMP_LINE:0:COMP_POINT} begun
            word=${word##* }
            COMPREPLY=( $(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "$word") )
            # To bash a word ends at each colon, and what comes before stays.
            if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
                begun=${word%"${word##*:}"}
                COMPREPLY=( "${COMPREPLY[@]#"$begun"}" )
            fi
        }
        complete -o default -F _oci_ostree oci-ostree ostree-container
        """;

    // The file may be sourced, or stand under the name _oci-ostree in fpath: then it is the function itself.
    private const string Zsh = """
        #compdef oci-ostree ostree-container
        _oci_ostree() {
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${#LBUFFER}]" "$LBUFFER" 2>/dev/null)}")
            compadd -a found || _files
        }
        if [ "$funcstack[1]" = _oci-ostree ]; then _oci_ostree "$@"; else compdef _oci_ostree oci-ostree ostree-container; fi
        """;

    private const string Fish = """
        function __oci_ostree
            set -l line (commandline -cp)
            set -l program (commandline -opc)[1]
            $program "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c oci-ostree -a '(__oci_ostree)'
        complete -c ostree-container -a '(__oci_ostree)'
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
