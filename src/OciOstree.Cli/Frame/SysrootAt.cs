using OciOstree.Linux;
using OciOstree.Sysroot;

namespace OciOstree.Cli;

/// <summary>Opens the sysroot at a path for the verbs of a machine's owner, who is told what to do where that fails.</summary>
internal static class SysrootAt
{
    public static Sysroot.Sysroot Open(string path, SysrootOptions options)
    {
        try
        {
            return Sysroot.Sysroot.Open(path, options);
        }
        catch (SysrootException e) when (e.InnerException is LinuxException { Errno: Errno.ENOENT, Path: { } missing } && missing.EndsWith("/ostree", StringComparison.Ordinal))
        {
            throw new SysrootException(path == "/"
                ? "This system does not run from ostree: there is no /ostree (--sysroot=PATH names another)"
                : $"There is no ostree system in {path} (`oci-ostree admin init-fs {path}` prepares a file system for one)");
        }
        catch (SysrootException e) when (!Environment.IsPrivilegedProcess && e.InnerException is LinuxException { Errno: Errno.EACCES or Errno.EPERM or Errno.EROFS })
        {
            throw new SysrootException("This needs root", e);
        }
    }
}
