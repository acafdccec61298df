using System.Text;

namespace OciOstree.Container.Tests;

/// <summary>What images bring and users write, damaged: a value or the room's own exception, in memory that the input accounts for.</summary>
public sealed class MutationTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void ContentMetas() => Mutations.Feed<ContainerException>(File.ReadAllBytes(Encapsulation.EncapsulationFixture.Golden("contentmeta.json")), bytes => ContentMeta.Parse(bytes), rounds: 1000);

    [Fact]
    public void ImageMetadata() => Mutations.Feed<ContainerException>("""{"b":[1,-2.5,{"c":null}],"a":"é\u00e9\ud83d\ude00\"\\","t":true}"""u8.ToArray(), bytes => ImageJson.Canonical(bytes));

    [Fact]
    public void ImageReferences() => Mutations.Feed<Exception>("ostree-remote-image:fedora:docker://quay.io/a/b:latest"u8.ToArray(), bytes =>
    {
        try
        {
            OstreeImageReference.Parse(Encoding.UTF8.GetString(bytes)).ToString();
        }
        catch (Exception e) when (e is not ContainerException and not OciOstree.Registry.RegistryException)
        {
            Assert.Fail($"{e}");
        }
    });

    [Fact]
    public void DpkgStatus() => Mutations.Feed<PackageDatabaseException>("Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\nDescription: shell\n more\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n"u8.ToArray(),
        bytes => PackageText.ReadDpkg(new MemoryStream(bytes)).Count(), refuses: false);

    [Fact]
    public void ApkInstalled() => Mutations.Feed<PackageDatabaseException>("C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nF:lib\nR:ld.so\n\nP:busybox\nV:1.36\nA:x86_64\n\n"u8.ToArray(), bytes => PackageText.ReadApk(new MemoryStream(bytes)).Count(), refuses: false);

    [Fact]
    public void PacmanDescriptions() => Mutations.Feed<PackageDatabaseException>("%NAME%\nbash\n\n%VERSION%\n5.2-1\n\n%ARCH%\nx86_64\n\n%DESC%\nshell\n"u8.ToArray(), bytes => PackageText.ReadPacman(new MemoryStream(bytes)));

    [Fact]
    public void TrustPolicies()
    {
        OstreeImageReference reference = OstreeImageReference.Parse("ostree-image-signed:docker://quay.io/a/b:latest");
        Mutations.Feed<ContainerException>("""{"default":[{"type":"reject"}],"transports":{"docker":{"quay.io/a":[{"type":"insecureAcceptAnything"}],"":[{"type":"sigstoreSigned","keyData":"AAAA","signedIdentity":{"type":"remapIdentity","prefix":"a.example","signedPrefix":"b.example/c"}}]}}}"""u8.ToArray(), bytes =>
        {
            File.WriteAllBytes(scratch["policy.json"], bytes);
            ImageTrust.Of(scratch["policy.json"], reference);
        });
    }

    [Fact]
    public void SignedPayloads() => Mutations.Feed<ContainerException>(
        """{"critical":{"identity":{"docker-reference":"quay.io/a/b:1"},"image":{"docker-manifest-digest":"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"},"type":"atomic container signature"},"optional":{"creator":"c","timestamp":1}}"""u8.ToArray(),
        bytes => SignedPayload.Parse(bytes, SignedPayload.SimpleType));

    [Fact]
    public void SigstoreKeys()
    {
        using var key = System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256);
        Mutations.Feed<ContainerException>(Encoding.ASCII.GetBytes(key.ExportSubjectPublicKeyInfoPem()), bytes => SigstoreKey.Parse(bytes).Dispose(), rounds: 500);
    }
}
