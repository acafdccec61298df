using System.Text.Json;

namespace OciOstree.Interop.Tests;

/// <summary>The executable at work inside a real build on an image of ours.</summary>
public class LintInBuildTests
{
    [Fact]
    public void A_build_is_cleaned_and_checked()
    {
        using var scratch = new ScratchDirectory();
        using var engine = new ContainerEngine(scratch);

        // A shell, a kernel to find, and what the executable needs to run.
        Tool.Shell($$"""
            mkdir -p tree/usr/bin tree/usr/etc tree/usr/lib/modules/6.1 tree/sysroot tree/var tree/boot tree/dev tree/proc tree/sys tree/run tree/tmp tree/usr/lib64 tree/usr/lib/x86_64-linux-gnu
            chmod 1777 tree/tmp; ln -s usr/bin tree/bin; ln -s usr/lib tree/lib; ln -s usr/lib64 tree/lib64; ln -s sysroot/ostree tree/ostree
            cp /bin/busybox tree/usr/bin/busybox; for name in sh ln mkdir rm touch ls test; do ln -s busybox tree/usr/bin/$name; done
            echo kernel >tree/usr/lib/modules/6.1/vmlinuz; echo initramfs >tree/usr/lib/modules/6.1/initramfs.img
            { ldd {{OurProgram.Path()}}; ldd "$(ldconfig -p | sed -n 's/.* \(\/.*libssl\.so\.3\)$/\1/p' | head -1)"; ldconfig -p | grep -E 'lib(ssl|crypto)\.so\.3'; } |
                grep -oE '/[^ ]+\.so[^ ]*' | sort -u | while read -r library; do cp -L --parents "$library" tree; done
            mkdir context && cp -L {{OurProgram.Path()}} context/oci-ostree
            """, scratch.Path).Ok();
        OurProgram.Run("init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        OurProgram.Run("commit", "--repo=" + scratch["repo"], "--branch=os", "--bootable", "--tree=dir=" + scratch["tree"]).Ok();
        OurProgram.Run("container", "encapsulate", "--repo=" + scratch["repo"], "os", $"oci:{scratch["base"]}:1", "--quiet").Ok();

        // The exit codes are what the build depends on; a linter that finds nothing wrong would fail it, too.
        engine.Build(
            scratch.Write("context/Containerfile", $"""
                FROM oci:{scratch["base"]}:1
                COPY oci-ostree /usr/bin/oci-ostree
                RUN mkdir -p /var/cache/apt /tmp/deep/junk /var/lib/state && touch /tmp/deep/junk/file /var/cache/apt/archive && oci-ostree container commit
                RUN test ! -e /tmp/deep && test ! -e /var/cache/apt && test -d /var/lib/state
                RUN oci-ostree container lint && ! oci-ostree container lint --fatal-warnings
                RUN mkdir /usr/etc && ! oci-ostree container lint && rm -r /usr/etc
                RUN oci-ostree container lint --json > /usr/lint.json
                """),
            $"oci:{scratch["built"]}:1");

        string mounted = "";
        engine.WithMounted("localhost/built", root => mounted = File.ReadAllText(Path.Combine(root, "usr/lint.json")));
        JsonElement inside = JsonDocument.Parse(mounted).RootElement;
        Assert.Equal(0, inside.GetProperty("fatal").GetInt32());
        Assert.Contains(inside.GetProperty("findings").EnumerateArray(), finding => finding.GetProperty("lint").GetString() == "var-tmpfiles" && finding.GetProperty("path").GetString() == "/var/lib/state");

        // The image, looked at from outside and imported, is judged the same but for what only an engine or an import adds.
        JsonElement outside = JsonDocument.Parse(OurProgram.Run("container", "lint", "--json", "--quiet", $"oci:{scratch["built"]}:1").Ok().Output).RootElement;
        OurProgram.Run("init", "--repo=" + scratch["store"], "--mode=bare").Ok();
        OurProgram.Run("container", "image", "pull", scratch["store"], $"ostree-unverified-image:oci:{scratch["built"]}:1", "--quiet").Ok();
        JsonElement stored = JsonDocument.Parse(OurProgram.Run("container", "lint", "--json", "--repo=" + scratch["store"], $"oci:{scratch["built"]}:1").Ok().Output).RootElement;
        Assert.Equal(Paths(inside), Paths(outside));
        Assert.Equal(Paths(inside), Paths(stored));

        static string[] Paths(JsonElement result) => [.. result.GetProperty("findings").EnumerateArray()
            .Select(finding => $"{finding.GetProperty("lint").GetString()} {finding.GetProperty("path").GetString()}")
            .Where(finding => !finding.StartsWith("buildah-injected", StringComparison.Ordinal))];
    }

    [Fact]
    public void Outside_of_a_build_nothing_is_cleaned()
    {
        ToolResult result = OurProgram.Run("container", "commit");
        Assert.Equal((1, "error: Not in an ostree-based container environment\n"), (result.ExitCode, result.Error));
    }
}
