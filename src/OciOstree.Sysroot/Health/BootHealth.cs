using System.Globalization;
using OciOstree.Formats.Keyfile;
using OciOstree.Linux;

namespace OciOstree.Sysroot;

/// <summary>
/// Falls back to the deployment before when a new one does not come up well. Three counters know of tries, whichever the machine has: GRUB's
/// (<c>boot_counter</c>, <c>boot_success</c> in its environment), the Boot Loader Specification's (<c>+LEFT-DONE</c> in an entry's name, counted by systemd-boot),
/// and one of our own beside the deployment, which needs no help of the boot loader but a boot that reaches <see cref="Begin"/>.
/// </summary>
public sealed class BootHealth
{
    private const string FileName = "boot-health";
    private const string Group = "health";
    private readonly Sysroot sysroot;

    /// <param name="sysroot">Opened for changes; booted.</param>
    public BootHealth(Sysroot sysroot)
    {
        this.sysroot = sysroot;
        Booted = sysroot.Booted ?? throw new SysrootException("Not currently booted into an OSTree system");
    }

    /// <summary>What this boot runs.</summary>
    public Deployment Booted { get; private set; }

    /// <summary>What was given up by the last verdict, if anything.</summary>
    public Deployment? GivenUp { get; private set; }

    /// <summary>How often <see cref="Booted"/> was begun to boot without a good end.</summary>
    public int Tries => Read(sysroot, Booted).Tries;

    /// <summary>What is known of a deployment.</summary>
    public static HealthState StateOf(Sysroot sysroot, Deployment deployment) => Read(sysroot, deployment).State;

    /// <summary>
    /// To be called early in every boot: counts a try of a deployment that has not proven itself, and gives it up when it had <paramref name="attempts"/> of them before,
    /// which did not live long enough to say so themselves. Notices when the boot loader has fallen back by itself.
    /// </summary>
    public BootVerdict Begin(int attempts)
    {
        Deployment first = sysroot.Deployments.First(d => !d.IsStaged);
        if (!first.IsSame(Booted) && first.Stateroot == Booted.Stateroot && HasRunOut(first))
        {
            Write(first, HealthState.Bad, Read(sysroot, first).Tries);
            GivenUp = first;
            MakeDefault(Booted);
            return BootVerdict.FellBack;
        }
        (HealthState state, int tries) = Read(sysroot, Booted);
        if (state != HealthState.Unproven)
        {
            return BootVerdict.Continue;
        }
        if (tries >= attempts && Fallback is not null)
        {
            return GiveUp(tries);
        }
        Write(Booted, state, tries + 1);
        return BootVerdict.Continue;
    }

    /// <summary>The boot has passed its checks: counters go away, the deployment has proven itself.</summary>
    public void MarkGood()
    {
        if (Read(sysroot, Booted) is not (HealthState.Good, 0))
        {
            Write(Booted, HealthState.Good, 0);
        }
        GrubEnvironmentFile.TryChange(sysroot.Root, environment =>
        {
            if (environment["boot_counter"] is not null || environment["boot_success"] is not null || sysroot.Settings.BootCountingTries > 0)
            {
                environment["boot_counter"] = null;
                environment["boot_success"] = "1";
            }
        });
        // Without counters in its name an entry is good.
        if (Booted.EntryFileName is { } name && name.IndexOf('+') is > 0 and var plus)
        {
            using LinuxDirectory entries = sysroot.BootDirectory.OpenDirectory(string.Create(CultureInfo.InvariantCulture, $"loader.{sysroot.BootVersion}/entries"));
            // systemd-bless-boot may have done it already.
            if (entries.Exists(name))
            {
                Changes.Rename(entries, name, name[..plus] + ".conf");
                entries.Sync();
            }
            Reload();
        }
    }

    /// <summary>The boot has failed its checks: says what follows, and does it up to the reboot.</summary>
    public BootVerdict Fail(int attempts)
    {
        (HealthState state, int tries) = Read(sysroot, Booted);
        if (state != HealthState.Unproven || Fallback is null)
        {
            return BootVerdict.Stay;
        }
        if (tries == 0)
        {
            // Nobody has counted when it began.
            Write(Booted, state, tries = 1);
        }
        return tries < attempts ? BootVerdict.Retry : GiveUp(tries);
    }

    /// <summary>What a rollback would boot, unless that was given up itself.</summary>
    private Deployment? Fallback =>
        sysroot.Deployments.First(d => !d.IsStaged).IsSame(Booted) && sysroot.RollbackTarget is { } target && StateOf(sysroot, target) != HealthState.Bad ? target : null;

    private BootVerdict GiveUp(int tries)
    {
        Deployment fallback = Fallback!;
        Write(Booted, HealthState.Bad, tries);
        GivenUp = Booted;
        MakeDefault(fallback);
        return BootVerdict.RolledBack;
    }

    private void MakeDefault(Deployment deployment)
    {
        // What is staged would only become the default again at the shutdown that follows, untried as it is; it goes.
        sysroot.WriteDeployments([deployment, .. sysroot.Deployments.Where(d => !d.IsStaged && !ReferenceEquals(d, deployment))], clean: false);
        GrubEnvironmentFile.TryChange(sysroot.Root, environment => environment["boot_counter"] = null);
        Reload();
    }

    private void Reload() => Booted = sysroot.Booted ?? throw new SysrootException("The booted deployment cannot be found again");

    /// <summary>Whether the boot loader has no tries left for a deployment.</summary>
    private bool HasRunOut(Deployment deployment)
    {
        (ulong left, ulong done) = BootTries.Parse(deployment.EntryFileName ?? "");
        return (left == 0 && done > 0) || GrubEnvironmentFile.TryRead(sysroot.Root)?["boot_counter"] == "-1";
    }

    private static string PathOf(Deployment deployment) => $"{deployment.BackingPath}/{FileName}";

    private static (HealthState State, int Tries) Read(Sysroot sysroot, Deployment deployment)
    {
        if (sysroot.Root.TryReadAllBytes(PathOf(deployment), 1 << 16) is not { } content)
        {
            return (HealthState.Unproven, 0);
        }
        try
        {
            KeyFile file = KeyFile.Parse(content);
            HealthState state = file.GetString(Group, "state") switch
            {
                "good" => HealthState.Good,
                "bad" => HealthState.Bad,
                _ => HealthState.Unproven,
            };
            return (state, Numbers.TryParse(file.GetString(Group, "tries"), out int tries) ? tries : 0);
        }
        catch (KeyfileException)
        {
            // A half-written file must not keep a machine from booting: then nothing is known.
            return (HealthState.Unproven, 0);
        }
    }

    private void Write(Deployment deployment, HealthState state, int tries)
    {
        var file = new KeyFile();
        file.SetString(Group, "state", state.ToString().ToLowerInvariant());
        file.SetString(Group, "tries", tries.ToString(CultureInfo.InvariantCulture));
        Changes.MakePath(sysroot.Root, deployment.BackingPath, 0x1C0 /* 0700 */);
        Changes.ReplaceFile(sysroot.Root, PathOf(deployment), file.Serialize(), sync: true);
    }
}
