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

    /// <summary>Values of options, and the images of a repository, whose names have the colons at which bash takes words apart.</summary>
    [Theory]
    [InlineData("oci-ostree container lint --skip var-t", "var-tmpfiles")]
    [InlineData("oci-ostree container encapsulate --compression z", "zstd")]
    [InlineData("oci-ostree container image history --repo REPO doc", "docker://example.com/os:1 docker://example.com/os:2")]
    [InlineData("oci-ostree container image remove --repo REPO docker://example.com/os:", "1 2")]
    [InlineData("oci-ostree container image remove --repo=REPO docker://example.com/os:1", "1")]
    [InlineData("oci-ostree container image remove --repo /nonexistent doc", "")]
    [InlineData("oci-ostree container image pull --authfile x -q --ostree", "--ostree-digestfile")]
    public void BashOffersValues(string line, string expected)
    {
        using var scratch = new ScratchDirectory();
        OurProgram.Run("init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        string commit = OurProgram.Run("commit", "--repo=" + scratch["repo"], "--branch=x", "--tree=dir=" + scratch.MakeDirectory("tree")).Ok().OutputLine;
        foreach (string tag in new[] { "1", "2" })
            OurProgram.Run("refs", "--repo=" + scratch["repo"], "--create=ostree/container/image/docker_3A__2F__2F_example_2E_com/os_3A_" + tag, commit).Ok();
        line = line.Replace("REPO", scratch["repo"], StringComparison.Ordinal);
        ToolResult result = Tool.Shell($$"""
            export PATH={{dist}}:$PATH
            source <(oci-ostree completion bash)
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=(oci-ostree)
            _oci_ostree || true
            echo "${COMPREPLY[@]}"
            """).Ok();
        Assert.Equal(expected, result.OutputLine);
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
