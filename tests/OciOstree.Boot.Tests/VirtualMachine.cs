using System.Globalization;

namespace OciOstree.Boot.Tests;

/// <summary>QEMU without hardware help: the disk is booted by its own boot loader, and the guest tells its story on the second serial port.</summary>
internal static class VirtualMachine
{
    /// <summary>How a guest reaches the registry on the host's loopback.</summary>
    internal const string Registry = "10.0.2.100:5000";

    /// <summary>
    /// What every guest's kernel is told: it counts the timer's interrupts when it starts, and panics when a busy host has delivered too few.
    /// </summary>
    internal const string NoTimerCheck = "--karg=no_timer_check";

    /// <summary>How long a guest may live through its boots. Twenty seconds a boot are usual, and several times that on a busy host.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(20);

    /// <summary>Runs until the guest powers off, and returns what it told.</summary>
    /// <param name="registryPort">The port on the host's loopback behind <see cref="Registry"/>; nothing else is reachable.</param>
    internal static BootStory Run(BootDisk disk, int registryPort, ScratchDirectory scratch, TimeSpan timeout, int memory = 768)
    {
        string console = scratch["console.log"], story = scratch["story.log"];
        var start = new ToolStart("qemu-system-x86_64") { Timeout = timeout };
        try
        {
            Tool.Run(start, [
                "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", memory.ToString(CultureInfo.InvariantCulture), "-nodefaults", "-display", "none",
                "-serial", "file:" + console, "-serial", "file:" + story,
                "-drive", $"file={disk.Image},if=virtio,format=raw,cache=unsafe",
                "-netdev", $"user,id=n0,restrict=on,guestfwd=tcp:{Registry}-cmd:socat - TCP:127.0.0.1:{registryPort}",
                "-device", "virtio-net-pci,netdev=n0",
                .. disk.IsEfi ? Firmware(scratch) : []]).Ok();
        }
        catch (ToolException e)
        {
            throw new ToolException($"{e.Message}\n{Tail(story)}\n{Tail(console)}");
        }
        return BootStory.Parse(File.Exists(story) ? File.ReadAllText(story) : "", Tail(console));
    }

    // OVMF writes its variables: each run has its own.
    private static string[] Firmware(ScratchDirectory scratch)
    {
        const string code = "/usr/share/OVMF/OVMF_CODE_4M.fd", variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";
        if (!File.Exists(code))
            throw new ToolException($"{code} is missing: install ovmf");
        File.Copy(variables, scratch["variables.fd"], overwrite: true);
        return ["-drive", $"if=pflash,format=raw,readonly=on,file={code}", "-drive", $"if=pflash,format=raw,file={scratch["variables.fd"]}"];
    }

    private static string Tail(string log) =>
        File.Exists(log) ? string.Join('\n', File.ReadAllLines(log).TakeLast(40)) : $"{log} was not written";
}
