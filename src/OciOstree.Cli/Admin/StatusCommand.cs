using System.CommandLine;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary><c>admin status</c> in ostree's words, which scripts parse.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        var json = Opts.Flag("--json", "Emit JSON", "-J");
        var isDefault = Opts.Flag("--is-default", "Output \"default\" if booted into the default deployment, otherwise \"not-default\"", "-D");
        var verify = Opts.Flag("--verify", "Print the commit verification status", "-V");
        var skipSignatures = Opts.Flag("--skip-signatures", "Skip signatures in output", "-S");
        return new Verb("status", "List deployments", "ostree admin status", "ostree admin status --json") { verify, skipSignatures, json, isDefault }.ReadsSysroot((sysroot, parsed) =>
        {
            if (parsed.GetValue(json))
            {
                PrintJson(sysroot);
            }
            else if (parsed.GetValue(isDefault))
            {
                var first = sysroot.Deployments.FirstOrDefault() ?? throw new SysrootException("Not in a booted OSTree system");
                Console.Out.WriteLine(first.IsSame(sysroot.Booted) ? "default" : "not-default");
            }
            else if (sysroot.Deployments.Count == 0)
            {
                Console.Out.WriteLine("No deployments.");
            }
            else
            {
                foreach (var deployment in sysroot.Deployments)
                {
                    Print(sysroot, deployment);
                    if (parsed.GetValue(verify))
                    {
                        DeploymentSignatures.Verify(sysroot.Repo, deployment);
                    }
                    else if (!parsed.GetValue(skipSignatures))
                    {
                        DeploymentSignatures.Print(sysroot.Repo, deployment);
                    }
                }
            }
        });
    }

    private static void Print(Sysroot.Sysroot sysroot, Deployment deployment)
    {
        var (pending, rollback) = Places(sysroot);
        var state = deployment.IsFinalizationLocked ? " (finalization locked)"
            : deployment.IsStaged ? " (staged)"
            : deployment.IsSame(pending) ? " (pending)"
            : deployment.IsSame(rollback) ? " (rollback)"
            : "";
        if (deployment.IsSoftRebootTarget)
        {
            state += " (soft-reboot)";
        }

        Console.Out.WriteLine($"{(deployment.IsSame(sysroot.Booted) ? '*' : ' ')} {deployment.Stateroot} {deployment.Commit}.{deployment.Serial}{state}");
        if (sysroot.VersionOf(deployment.Commit) is { } version)
        {
            Console.Out.WriteLine($"    Version: {version}");
        }

        if (deployment.Unlocked != UnlockedState.None)
        {
            Console.Out.WriteLine($"    Unlocked: {Word(deployment.Unlocked)}");
        }

        if (deployment.IsPinned)
        {
            Console.Out.WriteLine("    Pinned: yes");
        }

        Console.Out.WriteLine(deployment.Origin is not { } origin ? "    origin: none"
            : origin.Refspec is { } refspec ? $"    origin refspec: {refspec}"
            : "    origin: <unknown origin type>");
        if (deployment.Origin is not null && Metadata(sysroot, deployment)?.Lookup("ostree.source-title") is { Type: "s" } title)
        {
            Console.Out.WriteLine($"    `- {title.AsString()}");
        }
    }

    private static void PrintJson(Sysroot.Sysroot sysroot)
    {
        var (pending, rollback) = Places(sysroot);
        Output.Json(writer =>
        {
            writer.WriteStartObject();
            writer.WriteStartArray("deployments");
            foreach (var deployment in sysroot.Deployments)
            {
                writer.WriteStartObject();
                writer.WriteString("checksum", deployment.Commit.ToString());
                writer.WriteString("stateroot", deployment.Stateroot);
                writer.WriteString("refspec", deployment.Origin?.Refspec);
                writer.WriteNumber("serial", deployment.Serial);
                writer.WriteNumber("index", deployment.Index);
                writer.WriteBoolean("booted", deployment.IsSame(sysroot.Booted));
                writer.WriteBoolean("pending", deployment.IsSame(pending));
                writer.WriteBoolean("rollback", deployment.IsSame(rollback));
                writer.WriteBoolean("finalization-locked", deployment.IsFinalizationLocked);
                writer.WriteBoolean("soft-reboot-target", deployment.IsSoftRebootTarget);
                writer.WriteBoolean("staged", deployment.IsStaged);
                writer.WriteBoolean("pinned", deployment.IsPinned);
                writer.WriteString("unlocked", Word(deployment.Unlocked));
                if (sysroot.VersionOf(deployment.Commit) is { } version)
                {
                    writer.WriteString("version", version);
                }

                if (Metadata(sysroot, deployment)?.Lookup("ostree.source-title") is { Type: "s" } title)
                {
                    writer.WriteString("source-title", title.AsString());
                }

                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        });
    }

    private static (Deployment? Pending, Deployment? Rollback) Places(Sysroot.Sysroot sysroot) =>
        sysroot.Booted is { } booted ? sysroot.QueryDeployments(booted.Stateroot) : default;

    private static Variant? Metadata(Sysroot.Sysroot sysroot, Deployment deployment) =>
        sysroot.Repo.HasObject(new ObjectName(deployment.Commit, ObjectType.Commit)) ? sysroot.Repo.ReadCommit(deployment.Commit).Metadata : null;

    private static string Word(UnlockedState state) => state switch
    {
        UnlockedState.Development => "development",
        UnlockedState.Hotfix => "hotfix",
        UnlockedState.Transient => "transient",
        _ => "none",
    };
}
