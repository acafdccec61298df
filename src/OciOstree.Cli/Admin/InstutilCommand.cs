using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary>What installers and boot loaders' scripts call.</summary>
internal static class InstutilCommand
{
    public static Verb Create() => new("instutil", "Deprecated commands intended for installer programs", "ostree admin instutil set-kargs --merge --append=quiet") { EnsureLabeledCommand.Create(), SetKargs(), Grub2Generate() };

    private static Verb SetKargs()
    {
        var import = Opts.Flag("--import-proc-cmdline", "Import current /proc/cmdline");
        var merge = Opts.Flag("--merge", "Merge with previous command line");
        var replace = Opts.Many("--replace", "NAME=VALUE", "Set kernel argument, like root=/dev/sda1; this overrides any earlier argument with the same name");
        var append = Opts.Many("--append", "NAME=VALUE", "Append kernel argument; useful with e.g. console= that can be used multiple times");
        var words = Opts.Rest("ARGS", "Arguments to append");
        return new Verb("set-kargs", "Set new kernel command line arguments(Not stable)", "ostree admin instutil set-kargs --merge --append=quiet")
        {
            words, import, merge, replace, append,
        }.Takes("ARGS").ChangesSysroot((sysroot, parsed) =>
        {
            var first = sysroot.Deployments.FirstOrDefault() ?? throw new SysrootException("Unable to find a deployment in sysroot");
            var arguments = parsed.GetValue(import) ? KernelArguments.FromProcCommandLine()
                : parsed.GetValue(merge) ? first.KernelArguments
                : new KernelArguments();
            foreach (var word in parsed.GetValue(replace)!)
            {
                arguments.Replace(word);
            }

            foreach (var word in parsed.GetValue(append)!.Concat(parsed.GetValue(words)!))
            {
                arguments.Append(word);
            }

            sysroot.SetKernelArguments(first, arguments.ToList());
        });
    }

    private static Verb Grub2Generate()
    {
        var version = Opts.Optional("BOOTVERSION", "0 or 1; the current one by default");
        return new Verb("grub2-generate", "Generate GRUB2 configuration from given BLS entries", "ostree admin instutil grub2-generate") { version }.Takes("[BOOTVERSION]").ReadsSysroot((sysroot, parsed) =>
        {
            var chosen = parsed.GetValue(version) ?? Environment.GetEnvironmentVariable("_OSTREE_GRUB2_BOOTVERSION");
            int? number = chosen switch
            {
                null => null,
                "0" => 0,
                "1" => 1,
                _ => throw new SysrootException($"Invalid bootversion: {chosen}"),
            };
            Console.Out.Write(sysroot.GenerateGrub2MenuEntries(
                number,
                Variable("GRUB2_BOOT_DEVICE_ID"),
                Variable("GRUB2_PREPARE_ROOT_CACHE")));
        });
    }

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new SysrootException($"{name} is not set: grub-mkconfig's ostree script sets it");
}
