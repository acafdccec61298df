using System.Security.Cryptography;
using System.Text;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

public sealed class ImaSignatureTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("ima");

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("sha1")]
    [InlineData("sha256")]
    [InlineData("sha384")]
    [InlineData("sha512")]
    public void Signatures_are_those_that_evmctl_makes(string algorithm)
    {
        string pem = NewKey("genrsa 2048");
        scratch.Write("file", "content\n");
        Tool.Run("evmctl", "ima_sign", "--xattr-user", "--key", scratch["key.pem"], "--hashalgo", algorithm, scratch["file"]).Ok();
        using LinuxDirectory directory = LinuxDirectory.Open(scratch.Path);
        byte[] expected = Xattrs.ReadAll(directory, "file").Single(xattr => Encoding.UTF8.GetString(xattr.Name) == "user.ima").Value;
        using ImaKey key = ImaKey.FromPem(pem);
        Assert.Equal(Convert.ToHexStringLower(expected), Convert.ToHexStringLower(key.Sign(new MemoryStream("content\n"u8.ToArray()), ImaKey.ParseAlgorithm(algorithm))));
    }

    [Fact]
    public void Signatures_by_elliptic_keys_are_good()
    {
        // They differ each time; openssl is asked.
        using ImaKey key = ImaKey.FromPem(NewKey("ecparam -name prime256v1 -genkey -noout"));
        byte[] signature = key.Sign(new MemoryStream("content\n"u8.ToArray()), HashAlgorithmName.SHA256);
        File.WriteAllBytes(scratch["signature"], signature[9..]);
        scratch.Write("file", "content\n");
        Tool.Shell("openssl pkey -in key.pem -pubout -out public.pem && openssl dgst -sha256 -verify public.pem -signature signature file", scratch.Path).Ok();
        Assert.Equal([3, 2, 4], signature[..3]);
        Assert.Equal(signature.Length - 9, (signature[7] << 8) | signature[8]);
    }

    [Fact]
    public void Files_are_signed_and_links_are_not()
    {
        using var test = new TestRepo();
        Checksum commit = test.CommitFiles(("usr/bin/sh", "shell"), ("usr/bin/same", "shell"), ("usr/empty", ""));
        using ImaKey key = ImaKey.FromPem(NewKey("genrsa 2048"));
        Checksum signed = Sign(test, commit, key, overwrite: false);
        Commit before = test.Repo.ReadCommit(commit), after = test.Repo.ReadCommit(signed);
        Assert.Equal(before.Timestamp, after.Timestamp);
        Assert.NotEqual(before.RootTree, after.RootTree);
        using (RootTree tree = RootTree.FromCommit(test.Repo, signed))
        {
            Assert.All(tree.Root.Walk().Where(node => node.IsFile), node =>
            {
                Xattr xattr = Assert.Single(test.Repo.ReadFileHeader((Checksum)node.Content!, out _).Xattrs.Items);
                Assert.Equal("security.ima", Encoding.UTF8.GetString(xattr.Name));
            });
            Assert.Equal("shell", tree.ReadText("usr/bin/same"));
        }

        // Who is signed stays so, unless asked for otherwise.
        using ImaKey other = ImaKey.FromPem(NewKey("genrsa 2048"));
        Assert.Equal(signed, Sign(test, signed, other, overwrite: false));
        Assert.NotEqual(signed, Sign(test, signed, other, overwrite: true));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
    public void What_is_no_key_is_refused(string pem) => Assert.Throws<ContainerException>(() => ImaKey.FromPem(pem));

    [Fact]
    public void Unknown_algorithms_are_refused() => Assert.Throws<ContainerException>(() => ImaKey.ParseAlgorithm("md5"));

    private static Checksum Sign(TestRepo test, Checksum commit, ImaKey key, bool overwrite)
    {
        using RepoTransaction transaction = test.Repo.BeginTransaction();
        Checksum signed = ImaSignature.Sign(transaction, commit, key, HashAlgorithmName.SHA256, overwrite);
        transaction.Commit();
        return signed;
    }

    private string NewKey(string command)
    {
        Tool.Shell($"openssl {command} >key.pem", scratch.Path).Ok();
        return File.ReadAllText(scratch["key.pem"]);
    }
}
