using System.Text;
using OciOstree.Testing;

namespace OciOstree.Registry.Tests;

/// <summary>What the tests of the distribution client share: a registry that misbehaves on demand and options that don't wait long.</summary>
public abstract class RegistryTest : IDisposable
{
    protected const string Repository = "os/base";

    protected RegistryTest()
    {
        Fake = new FakeRegistry();
        Scratch = new ScratchDirectory("registry");
        Options = new RegistryOptions
        {
            TlsVerify = false,
            Anonymous = true,
            RegistriesConf = Scratch.Write("registries.conf", ""),
            Retries = 3,
            RetryDelay = TimeSpan.FromMilliseconds(5),
            // Long enough that a machine with other work never stalls by itself; who tests stalls sets Impatient.
            StallTimeout = TimeSpan.FromSeconds(30),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            TemporaryDirectory = Scratch.Path,
        };
    }

    protected FakeRegistry Fake { get; }

    /// <summary>Set when the test is over: what a server waits on that is to hold its client.</summary>
    protected ManualResetEventSlim Over { get; } = new();

    /// <summary>The options of a client that soon gives up on a server that holds it.</summary>
    protected RegistryOptions Impatient => Options with { Retries = 1, StallTimeout = TimeSpan.FromMilliseconds(600) };

    protected ScratchDirectory Scratch { get; }

    protected RegistryOptions Options { get; set; }

    protected ImageReference Image => ImageReference.Parse($"docker://{Fake.Host}/{Repository}:v1");

    public void Dispose()
    {
        Over.Set();
        Fake.Dispose();
        Scratch.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Bytes that do not repeat, so that a wrong offset shows.</summary>
    protected static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    protected static byte[] ReadAll(Stream stream)
    {
        using (stream)
        using (var copy = new MemoryStream())
        {
            stream.CopyTo(copy);
            return copy.ToArray();
        }
    }

    protected static Descriptor Describe(byte[] blob) => new(MediaTypes.OciLayer, Digest.Compute(blob), blob.Length);

    protected static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The whole chain of messages, as the command line prints it.</summary>
    protected static string Message(Exception? e) => e is null ? "" : e.InnerException is null ? e.Message : $"{e.Message}: {Message(e.InnerException)}";

    protected byte[] Fetch(byte[] blob)
    {
        using var source = Images.OpenSource(Image, Options);
        return ReadAll(source.OpenBlob(Describe(blob)));
    }

    protected string FailToFetch(byte[] blob)
    {
        var message = Message(Assert.Throws<RegistryException>(() => Fetch(blob)));
        Assert.DoesNotContain('\n', message);
        return message;
    }

    protected string FailToFetchManifest()
    {
        using var source = Images.OpenSource(Image, Options);
        var message = Message(Assert.Throws<RegistryException>(() => source.FetchManifest()));
        Assert.DoesNotContain('\n', message);
        return message;
    }
}
