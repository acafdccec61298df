using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OciOstree.Linux;

/// <summary>Starting another kernel from the running one, past the firmware.</summary>
public static unsafe class Kexec
{
    /// <summary>Loads the kernel that <c>systemctl kexec</c> (or <c>reboot</c>, where systemd finds one loaded) then starts.</summary>
    /// <param name="kernel">The kernel's file.</param>
    /// <param name="initramfs">The initramfs' file, if there is one.</param>
    /// <param name="commandLine">The whole command line.</param>
    public static void Load(SafeFileHandle kernel, SafeFileHandle? initramfs, string commandLine)
    {
        const nuint noInitramfs = 4;
        long number = RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 320,
            Architecture.Arm64 => 294,
            _ => throw new LinuxException(Errno.ENOSYS, "load into kexec", null),
        };
        byte[] line = [.. Encoding.UTF8.GetBytes(commandLine), 0];
        fixed (byte* bytes = line)
        {
            while (Libc.kexec_file_load(number, (int)kernel.DangerousGetHandle(), initramfs is null ? -1 : (int)initramfs.DangerousGetHandle(), (nuint)line.Length, bytes, initramfs is null ? noInitramfs : 0) != 0)
                LinuxDirectory.RetryOrThrow("load into kexec", null);
        }
        GC.KeepAlive(kernel);
        GC.KeepAlive(initramfs);
    }
}
