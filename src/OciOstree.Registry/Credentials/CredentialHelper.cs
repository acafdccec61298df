using System.ComponentModel;
using System.Diagnostics;

namespace OciOstree.Registry.Credentials;

/// <summary>Asks a <c>docker-credential-NAME</c> program (the docker-credential-helpers protocol).</summary>
internal static class CredentialHelper
{
    private const int ReplyLimit = 1 << 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The credential for a server; null if the helper has none.</summary>
    internal static RegistryCredential? Get(string helper, string server)
    {
        var program = "docker-credential-" + helper;
        if (helper.Length == 0 || helper.Contains('/'))
        {
            throw new RegistryException($"invalid credential helper '{Printable.Clip(helper)}'");
        }

        var start = new ProcessStartInfo(program, ["get"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start) ?? throw new RegistryException($"{program}: cannot be started");
            using var watchdog = new Timer(_ => Kill(process), null, Limit, Timeout.InfiniteTimeSpan);
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            process.StandardInput.Write(server);
            process.StandardInput.Close();
            var buffer = new byte[ReplyLimit];
            var length = process.StandardOutput.BaseStream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            process.WaitForExit();
            var reply = buffer.AsMemory(0, length);

            // The protocol's only way to say "none" is this text; any other failure is one.
            if (process.ExitCode != 0)
            {
                return reply.Span.IndexOf("credentials not found"u8) >= 0 ? null : throw new RegistryException($"{program} failed with exit code {process.ExitCode}");
            }

            return Read(program, reply);
        }
        catch (Exception e) when (e is Win32Exception or IOException)
        {
            throw new RegistryException($"{program}: {Printable.Clip(e.Message)}");
        }
    }

    private static RegistryCredential? Read(string program, ReadOnlyMemory<byte> reply) => Json.Parse(reply, "reply of " + program, root =>
    {
        var username = Json.String(root, "Username", "reply of " + program) ?? "";
        var secret = Json.String(root, "Secret", "reply of " + program) ?? "";
        return (username, secret) switch
        {
            ("", "") => null,
            ("<token>", _) => new RegistryCredential { IdentityToken = secret },
            _ => new RegistryCredential { Username = username, Password = secret },
        };
    });

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself between the timer and here.
        }
    }
}
