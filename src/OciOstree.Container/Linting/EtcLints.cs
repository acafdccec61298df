using OciOstree.Formats.Keyfile;
using OciOstree.Formats.Toml;

namespace OciOstree.Container;

/// <summary>Configuration: where it lies, and that which is read at boot and deployment.</summary>
internal static class EtcLints
{
    internal const string PrepareRoot = "usr/lib/ostree/prepare-root.conf";
    internal const string PrepareRootInEtc = "etc/ostree/prepare-root.conf";
    internal const string KernelArguments = "usr/lib/bootc/kargs.d";

    internal static IEnumerable<Lint> All =>
    [
        new Lint(
            "baseimage-composefs",
            LintLevel.Warning,
            "/usr/lib/ostree/prepare-root.conf should be readable and enable composefs",
            "With composefs the root is verified and cannot be written to, even as root.",
            "RUN printf '[composefs]\\nenabled = yes\\n' > /usr/lib/ostree/prepare-root.conf, and make the initramfs again: it has a copy")
        {
            Check = ComposefsIsEnabled,
        },
        new Lint(
            "bootc-kargs",
            LintLevel.Fatal,
            "Files in /usr/lib/bootc/kargs.d must be TOML with 'kargs', and 'match-architectures' if wanted",
            "Their arguments go onto the kernel's command line: a deployment stops at one that cannot be read.",
            "write it as: kargs = [\"quiet\", \"console=ttyS0\"]")
        {
            Check = KernelArgumentsParse,
        },
        new Lint(
            "buildah-injected",
            LintLevel.Warning,
            "An empty /etc/hostname or /etc/resolv.conf was left by the build",
            "As configuration they would blank out a machine's name and resolver; an import removes them, other tools may not.",
            "RUN rm -f does not help, as the engine makes them anew: use an engine that does not, or leave it to the import")
        {
            OnlyAtRest = true,
            Check = run =>
            {
                foreach (var path in (ReadOnlySpan<string>)["/etc/hostname", "/etc/resolv.conf"])
                {
                    if (run.Tree.Find(path) is { IsFile: true, Size: 0, IsMount: false } node)
                    {
                        run.Report(node, "is an empty file, which a build may have left");
                    }
                }
            },
        },
        new Lint(
            "etc-usretc",
            LintLevel.Fatal,
            "Of /etc and /usr/etc there must be only /etc",
            "An image's /etc becomes /usr/etc of the commit, the defaults that /etc of a machine is merged with: one of two would win, by accident.",
            "RUN cp -a /usr/etc/. /etc/ && rm -rf /usr/etc")
        {
            Check = run =>
            {
                if (run.Tree.Find("etc") is not null && run.Tree.Find("usr/etc") is { } node)
                {
                    run.Report(node, "is there beside /etc");
                }
            },
        },
        new Lint(
            "machine-identity",
            LintLevel.Warning,
            "What must differ from machine to machine should not be in the image",
            "Every machine of the image would have the same identity, known to everybody who can pull it.",
            "RUN rm -f /etc/ssh/ssh_host_*_key* /var/lib/systemd/random-seed && : > /etc/machine-id")
        {
            Check = NoIdentity,
        },
        new Lint(
            "sysusers",
            LintLevel.Warning,
            "Users and groups in /etc/passwd and /etc/group should come from /usr/lib/sysusers.d",
            "A machine that has changed its /etc/passwd keeps it at an update: users that a new image adds there do not exist on it, and their files belong to nobody.",
            "declare them: RUN echo 'u NAME UID \"What for\" /home' > /usr/lib/sysusers.d/NAME.conf")
        {
            Check = UserLint.Check,
        },
    ];

    /// <summary>Whether <c>prepare-root.conf</c> gives the machine a root that can be written to, and forgets.</summary>
    internal static bool RootIsTransient(LintRun run) => TryRead(run, out var settings, out _) && settings?.GetBoolean("root", "transient") == true;

    private static void ComposefsIsEnabled(LintRun run)
    {
        foreach (var root in BaseLints.RootsOf(run))
        {
            var path = $"/{root}{PrepareRoot}";
            if (!TryRead(run, out var settings, out var problem, root))
            {
                run.Report(path, problem);
            }
            else if (settings is null)
            {
                run.Report(path, "is missing: nothing enables composefs");
            }
            else if (settings.GetString("composefs", "enabled") is not ("yes" or "true" or "1" or "maybe" or "signed" or "verity"))
            {
                run.Report(path, "does not enable composefs");
            }
        }
    }

    private static bool TryRead(LintRun run, out KeyFile? settings, out string problem, string root = "")
    {
        (settings, problem) = (null, "");
        try
        {
            var text = run.Tree.ReadText(root + PrepareRootInEtc) ?? run.Tree.ReadText(root + PrepareRoot);
            settings = text is null ? null : KeyFile.Parse(text);
            return true;
        }
        catch (FormatException e)
        {
            problem = $"cannot be read: {e.Message}";
            return false;
        }
    }

    private static void KernelArgumentsParse(LintRun run)
    {
        foreach (var file in run.Files(KernelArguments, ".toml"))
        {
            if (ProblemOf(run.Tree.ReadText(file.Path)) is { } problem)
            {
                run.Report(file, problem);
            }
        }
    }

    private static string? ProblemOf(string? text)
    {
        if (text is null)
        {
            return "is no file";
        }

        try
        {
            var table = TomlTable.Parse(text);
            foreach (var (key, value) in table.Values)
            {
                if (key is not ("kargs" or "match-architectures"))
                {
                    return $"has an unknown key '{key}'";
                }

                if (value is not List<object> list || list.Any(item => item is not string))
                {
                    return $"'{key}' is no list of strings";
                }
            }

            return table.Values.ContainsKey("kargs") ? null : "has no 'kargs'";
        }
        catch (FormatException e)
        {
            return $"cannot be read: {e.Message}";
        }
    }

    private static void NoIdentity(LintRun run)
    {
        if (run.Tree.ReadText("etc/machine-id")?.Trim() is { Length: 32 } id && id.All(char.IsAsciiHexDigit))
        {
            run.Report("/etc/machine-id", "has an identity in it; empty, it gets one at the first boot");
        }

        foreach (var node in (run.Directory("etc/ssh")?.Children ?? []).Where(node => node.Name.StartsWith("ssh_host_", StringComparison.Ordinal) && node is { IsFile: true, Size: > 0, IsMount: false }))
        {
            run.Report(node, "is a key that every machine would share");
        }

        foreach (var path in (ReadOnlySpan<string>)["var/lib/systemd/random-seed", "var/lib/systemd/credential.secret", "var/lib/dbus/machine-id"])
        {
            if (run.Tree.Find(path) is { IsFile: true, Size: > 0, IsMount: false } node)
            {
                run.Report(node, "is a secret that every machine would share");
            }
        }
    }
}
