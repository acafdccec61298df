using System.CommandLine;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>admin deploy</c>: a ref of the sysroot's own repository becomes the default deployment.</summary>
internal static class DeployCommand
{
    private sealed record Options(
        Option<string?> Os, Option<string?> OriginFile, Option<bool> NoPrune, Option<bool> NoMerge, Option<bool> Retain, Option<bool> Stage, Option<bool> LockFinalization,
        Option<bool> RetainPending, Option<bool> RetainRollback, Option<bool> NotAsDefault, Option<bool> KargProcCmdline, Option<string[]> Karg, Option<string[]> KargAppend,
        Option<bool> KargNone, Option<string[]> KargDelete, Option<string[]> OverlayInitrd);

    public static Command Create()
    {
        var options = new Options(
            Opts.Value("--os", "OSNAME", "Use a different operating system root than the current one", "--stateroot"),
            Opts.Value("--origin-file", "FILENAME", "Specify origin file"),
            Opts.Flag("--no-prune", "Don't prune the repo when done"),
            Opts.Flag("--no-merge", "Do not apply configuration (/etc and kernel arguments) from booted deployment"),
            Opts.Flag("--retain", "Do not delete previous deployments"),
            Opts.Flag("--stage", "Complete deployment at OS shutdown"),
            Opts.Flag("--lock-finalization", "Prevent automatic deployment finalization on shutdown"),
            Opts.Flag("--retain-pending", "Do not delete pending deployments"),
            Opts.Flag("--retain-rollback", "Do not delete rollback deployments"),
            Opts.Flag("--not-as-default", "Append rather than prepend new deployment"),
            Opts.Flag("--karg-proc-cmdline", "Import current /proc/cmdline"),
            Opts.Many("--karg", "NAME=VALUE", "Set kernel argument, like root=/dev/sda1; this overrides any earlier argument with the same name"),
            Opts.Many("--karg-append", "NAME=VALUE", "Append kernel argument; useful with e.g. console= that can be used multiple times"),
            Opts.Flag("--karg-none", "Do not import kernel arguments"),
            Opts.Many("--karg-delete", "NAME=VALUE", "Delete kernel argument if exists, can be used multiple times"),
            Opts.Many("--overlay-initrd", "FILE", "Overlay iniramfs file"));
        var refspec = Opts.Optional("REFSPEC", "Branch, remote branch or commit to deploy");
        return new Verb("deploy", "Checkout revision REFSPEC as the new default deployment", "ostree admin deploy --os=debian --karg=root=LABEL=root debian/stable")
        {
            refspec, options.Os, options.OriginFile, options.NoPrune, options.NoMerge, options.Retain, options.Stage, options.LockFinalization, options.RetainPending,
            options.RetainRollback, options.NotAsDefault, options.KargProcCmdline, options.Karg, options.KargAppend, options.KargNone, options.KargDelete, options.OverlayInitrd,
        }.Takes("REFSPEC").ChangesSysroot((sysroot, parsed) => Run(sysroot, parsed, options, parsed.GetValue(refspec) ?? throw new UsageException("REF/REV must be specified")));
    }

    private static void Run(Sysroot.Sysroot sysroot, ParseResult parsed, Options options, string refspec)
    {
        CheckCombinations(parsed, options);
        string stateroot;
        try
        {
            stateroot = AdminSysroot.Stateroot(sysroot, parsed.GetValue(options.Os));
        }
        catch (SysrootException e)
        {
            throw new SysrootException("Looking for booted deployment", e);
        }

        var origin = parsed.GetValue(options.OriginFile) is { } file ? ReadOrigin(file) : Origin.FromRefspec(refspec);
        var commit = sysroot.Repo.ResolveRequired(refspec);
        var merge = parsed.GetValue(options.NoMerge) ? null : sysroot.MergeDeployment(stateroot);
        var stage = parsed.GetValue(options.Stage) || parsed.GetValue(options.LockFinalization);

        // What an interrupted deployment left is in the way of this one.
        sysroot.Cleanup(prune: false);
        var overlays = new List<string>();
        foreach (var path in parsed.GetValue(options.OverlayInitrd)!)
        {
            using var image = File.OpenRead(path);
            overlays.Add(sysroot.StageOverlayInitrd(image));
        }

        var request = new DeployRequest
        {
            Stateroot = stateroot,
            Commit = commit,
            Origin = origin,
            Merge = merge,
            KernelArguments = Arguments(parsed, options, merge)?.ToList(),
            OverlayInitrds = overlays,
            LockFinalization = parsed.GetValue(options.LockFinalization),
        };
        if (stage)
        {
            sysroot.Stage(request);
            return;
        }

        var deployed = sysroot.Deploy(request);
        sysroot.AddDeployment(deployed, merge, RetentionOf(parsed, options), clean: false);
        sysroot.Cleanup(prune: !parsed.GetValue(options.NoPrune));
    }

    private static void CheckCombinations(ParseResult parsed, Options options)
    {
        var deletes = parsed.GetValue(options.KargDelete)!.Length > 0;
        if (parsed.GetValue(options.KargProcCmdline) && parsed.GetValue(options.KargNone))
        {
            throw new UsageException("Can't specify both --karg-proc-cmdline and --karg-none");
        }

        if (parsed.GetValue(options.KargNone) && deletes)
        {
            throw new UsageException("Can't specify both --karg-none and --karg-delete");
        }

        if (parsed.GetValue(options.NoMerge) && deletes)
        {
            throw new UsageException("Can't specify both --no-merge and --karg-delete");
        }

        if (parsed.GetValue(options.Stage) || parsed.GetValue(options.LockFinalization))
        {
            if (parsed.GetValue(options.RetainPending) || parsed.GetValue(options.RetainRollback))
            {
                throw new UsageException("--stage cannot currently be combined with --retain arguments");
            }

            if (parsed.GetValue(options.NotAsDefault))
            {
                throw new UsageException("--stage cannot currently be combined with --not-as-default");
            }
        }
    }

    /// <summary>Null when nothing was said about arguments: those of the merged deployment then hold.</summary>
    private static KernelArguments? Arguments(ParseResult parsed, Options options, Deployment? merge)
    {
        var set = parsed.GetValue(options.Karg)!;
        var append = parsed.GetValue(options.KargAppend)!;
        var delete = parsed.GetValue(options.KargDelete)!;
        var arguments = parsed.GetValue(options.KargNone) ? new KernelArguments()
            : parsed.GetValue(options.KargProcCmdline) ? KernelArguments.FromProcCommandLine()
            : set.Length + append.Length + delete.Length == 0 ? null
            : merge?.KernelArguments ?? new KernelArguments();
        if (arguments is null)
        {
            return null;
        }

        foreach (var word in set)
        {
            arguments.Replace(word);
        }

        foreach (var word in append)
        {
            arguments.Append(word);
        }

        foreach (var word in delete)
        {
            arguments.DeleteIfPresent(word);
        }

        return arguments;
    }

    private static Retention RetentionOf(ParseResult parsed, Options options)
    {
        var retention = Retention.Default;
        if (parsed.GetValue(options.Retain))
        {
            retention |= Retention.All;
        }

        if (parsed.GetValue(options.RetainPending))
        {
            retention |= Retention.Pending;
        }

        if (parsed.GetValue(options.RetainRollback))
        {
            retention |= Retention.Rollback;
        }

        if (parsed.GetValue(options.NotAsDefault))
        {
            retention |= Retention.NotAsDefault;
        }

        return retention;
    }

    private static Origin ReadOrigin(string path)
    {
        try
        {
            return Origin.Parse(Files.ReadNamed(path));
        }
        catch (KeyfileException e)
        {
            throw new SysrootException($"Reading the origin file {path}", e);
        }
    }
}
