using System.CommandLine;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Admin;

/// <summary>Run at boot by <c>ostree-state-overlay@.service</c>.</summary>
internal static class StateOverlayCommand
{
    public static Command Create()
    {
        var name = Opts.Optional("NAME", "Names the overlay's layers in /var/ostree/state-overlays");
        var path = Opts.Optional("MOUNTPATH", "The directory to make writable");
        return new Verb("state-overlay", "Internal command to assemble a state overlay", "ostree admin state-overlay opt /usr/lib/opt") { name, path }.Takes("NAME MOUNTPATH").Hide().ReadsSysroot((sysroot, parsed) =>
        {
            if (parsed.GetValue(name) is not { } overlay || parsed.GetValue(path) is not { } target)
            {
                throw new SysrootException("Missing NAME or MOUNTPATH");
            }

            StateOverlay.Mount(sysroot, overlay, target);
        });
    }
}
