namespace OciOstree.Interop.Tests;

/// <summary>The completion scripts, in the shells themselves.</summary>
public sealed class CompletionTests
{
    private static readonly string dist = Path.GetDirectoryName(OurProgram.Path())!;

    [Theory]
    [InlineData("oci-ostree container image pu", "push pull")]
    [InlineData("oci-ostree upgrade --do", "--download-only")]
    [InlineData("oci-ostree completion b", "bash")]
    [InlineData("ostree-container image prune-i", "prune-images")]
    [InlineData("oci-ostree upgrade --nothing-begins-so", "")]
    public void BashOffersWhatCouldComeNext(string line, string expected)
    {
        ToolResult result = Tool.Shell($$"""
            export PATH={{dist}}:$PATH
            source <(oci-ostree completion bash)
            complete -p oci-ostree ostree-container >&2
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=({{line}})
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _oci_ostree || true
            echo "${COMPREPLY[@]}"
            """).Ok();
        Assert.Equal(expected.Split(' ').Order(), result.OutputLine.Split(' ').Order());
        Assert.Equal("complete -o default -F _oci_ostree oci-ostree\ncomplete -o default -F _oci_ostree ostree-container\n", result.Error);
    }

    [Fact]
    public void FishOffersWhatCouldComeNext()
    {
        using var home = new ScratchDirectory();
        string[] offered = Tool.Run(new ToolStart("fish") { Environment = new Dictionary<string, string?> { ["HOME"] = home.Path, ["PATH"] = $"{dist}:/usr/bin:/bin" } },
            "--no-config", "-c", "oci-ostree completion fish | source; complete -C 'oci-ostree upgrade --do'; complete -C 'ostree-container image prune-'").Ok().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["--download-only", "prune-images", "prune-layers"], offered.Order());
    }

    /// <summary>Sourced, and as a file that <c>fpath</c> leads to: at a terminal, since zsh completes nowhere else.</summary>
    [Theory]
    [InlineData("source <(oci-ostree completion zsh)")]
    [InlineData("")]
    public void ZshCompletesAtATerminal(string load)
    {
        using var home = new ScratchDirectory();
        File.WriteAllText(home["_oci-ostree"], OurProgram.Run("completion", "zsh").Ok().Output);
        File.WriteAllText(home["script"], $$"""
            zmodload zsh/zpty
            export PATH={{dist}}:$PATH
            zpty shell zsh -f -i
            zpty -w shell 'PS1=; {{(load.Length == 0 ? "fpath=(" + home.Path + " $fpath); " : "")}}autoload -Uz compinit; compinit -u -D; {{load}}; echo LOA''DED'
            zpty -r -m shell seen '*LOADED*'
            zpty -w -n shell $'echo oci-ostree; oci-ostree upgrade --dow\t --check\n'
            zpty -r -m shell seen '*either*or --download-only*' && print -r -- "$seen"
            zpty -d shell
            """);
        Assert.Contains("error: Give either --check or --download-only", Tool.Run("timeout", "60", "zsh", "-f", home["script"]).Output);
    }
}
