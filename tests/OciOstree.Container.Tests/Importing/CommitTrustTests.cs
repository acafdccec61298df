using OciOstree.Registry;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary><c>ostree-remote-image</c>: the commit in an image comes in only if the remote's keys vouch for it.</summary>
public sealed class CommitTrustTests : IDisposable
{
    // RFC 8032, 7.1, the first two keys
    private static readonly Signer Signer = Key("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    private static readonly Signer Stranger = Key("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    private static readonly string Public = Convert.ToBase64String(Convert.FromHexString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"));

    private readonly TestRepo builder = new(RepoMode.Archive), test = new();

    public CommitTrustTests()
    {
        var config = test.Repo.Config.Clone();
        config.SetString("remote \"vendor\"", "gpg-verify", "false");
        config.SetString("remote \"vendor\"", "sign-verify", "ed25519");
        config.SetString("remote \"vendor\"", "verification-ed25519-key", Public);
        config.SetString("remote \"careless\"", "gpg-verify", "false");
        test.Repo.WriteConfig(config);
    }

    public void Dispose()
    {
        builder.Dispose();
        test.Dispose();
    }

    private static Signer Key(string hex) => Signer.FromText(SignatureType.Ed25519, Convert.ToBase64String(Convert.FromHexString(hex)));

    private MemoryImage Image(params Signer[] signers)
    {
        var commit = builder.CommitFiles(("usr/bin/tool", "tool"), ("usr/lib/modules/6/vmlinuz", "kernel"));
        if (signers.Length > 0)
        {
            CommitSignatures.Sign(builder.Repo, commit, signers);
        }

        return MemoryImage.Encapsulated(builder.Repo, commit, builder.Scratch["image"]);
    }

    private ImportedImage Import(MemoryImage image, string remote)
    {
        using var importer = new ImageImporter(test.Repo, OstreeImageReference.Parse($"ostree-remote-image:{remote}:dir:/test"), null, image);
        var plan = importer.Prepare();
        return plan.Present ?? importer.Import(plan);
    }

    private string Refused(Action action)
    {
        var before = test.Repo.ListRefs();
        Exception? e = Assert.Throws<ContainerException>(action);
        Assert.Equal(before, test.Repo.ListRefs());
        var messages = new List<string>();
        for (; e is not null; e = e.InnerException)
        {
            messages.Add(e.Message);
        }

        return string.Join(": ", messages);
    }

    [Fact]
    public void ACommitThatTheRemoteVouchesForComesIn()
    {
        var image = Import(Image(Stranger, Signer), "vendor");
        Assert.Empty(image.Warnings);
        // Who vouches for it is told, now and when it is here already.
        Assert.Contains("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", image.Signatures);
        Assert.Equal(image.Signatures, Import(Image(Stranger, Signer), "vendor").Signatures);
        Assert.Equal("tool", test.Tree(image.MergeCommit)["/usr/bin/tool"].Split(' ')[^1]);
    }

    [Fact]
    public void OneThatNobodyOrAStrangerSignedDoesNot()
    {
        Assert.Contains("Can't verify commit without detached metadata", Refused(() => Import(Image(), "vendor")));
        Assert.Contains("ed25519: Signature couldn't be verified with: key 'd75a", Refused(() => Import(Image(Stranger), "vendor")));
        Assert.Contains("Remote \"nobody\" not found", Refused(() => Import(Image(Signer), "nobody")));
        Assert.Contains("remote 'careless' verifies no commits", Refused(() => Import(Image(Signer), "careless")));
        var foreign = new MemoryImage().AddTar(tar => tar.File("usr/file", "file"));
        Assert.Contains("no commit that remote 'vendor' could vouch for", Refused(() => Import(foreign, "vendor")));
    }

    [Fact]
    public void WhatCameInUnaskedIsAskedForLater()
    {
        test.Import(Image());
        Assert.Contains("Can't verify commit without detached metadata", Refused(() => Import(Image(), "vendor")));
    }

    [Fact]
    public void LayersOnTopAreToldOf()
    {
        var image = Image(Signer);
        image.AddTar(tar => tar.File("usr/added", "added"));
        Assert.Contains("nobody does for the layers on top", Assert.Single(Import(image, "vendor").Warnings));
    }
}
