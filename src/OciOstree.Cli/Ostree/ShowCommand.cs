using System.CommandLine;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class ShowCommand
{
    public static Command Create()
    {
        var related = Opts.Flag("--print-related", "Show the \"related\" commits");
        var variantType = Opts.Value("--print-variant-type", "TYPE", "Memory map OBJECT (in this case a filename) to the GVariant type string");
        var listKeys = Opts.Flag("--list-metadata-keys", "List the available metadata keys");
        var key = Opts.Value("--print-metadata-key", "KEY", "Print string value of metadata key");
        var hex = Opts.Flag("--print-hex", "For byte array valued keys, output an unquoted hexadecimal string");
        var listDetachedKeys = Opts.Flag("--list-detached-metadata-keys", "List the available detached metadata keys");
        var detachedKey = Opts.Value("--print-detached-metadata-key", "KEY", "Print string value of detached metadata key");
        var sizes = Opts.Flag("--print-sizes", "Show the commit size metadata");
        var raw = Opts.Flag("--raw", "Show raw variant data");
        var unswapped = Opts.Flag("--no-byteswap", "Do not automatically convert variant data from big endian", "-B");
        var verifyRemote = Opts.Value("--gpg-verify-remote", "REMOTE", "Use REMOTE name for GPG configuration");
        return new OstreeVerb("show", "Output a metadata object", "OBJECT", "ostree show --repo=/srv/repo main", "ostree show --repo=/srv/repo --print-metadata-key=version main")
        {
            related, variantType, listKeys, key, hex, listDetachedKeys, detachedKey, sizes, raw, unswapped, SigningOptions.GpgHome, verifyRemote,
        }.Does((OstreeCall call) =>
        {
            call.Need(1, "An object argument is required");
            string rev = call.Words[0];
            if (call.Get(detachedKey) is { } wantedDetached)
                PrintKey(call, Detached(call, rev), wantedDetached, call.Get(hex), call.Get(unswapped));
            else if (call.Get(key) is { } wanted)
                PrintKey(call, Attached(call, rev), wanted, call.Get(hex), call.Get(unswapped));
            else if (call.Get(listDetachedKeys))
                PrintKeys(call, Detached(call, rev));
            else if (call.Get(listKeys))
                PrintKeys(call, Attached(call, rev));
            else if (call.Get(related))
                PrintRelated(call, rev);
            else if (call.Get(variantType) is { } type)
                call.Print(Variant.FromBytes(type, NamedFile.Read(rev)).ByteSwap().Print());
            else if (call.Get(sizes))
                PrintSizes(call, rev);
            else if (!Checksum.TryParse(rev, out Checksum checksum))
                PrintCommit(new ObjectName(call.Repo.ResolveRequired(rev), ObjectType.Commit));
            else if (new ObjectName(checksum, ObjectType.Commit) is var commit && call.Repo.HasObject(commit))
                PrintCommit(commit);
            else
                PrintObject(call, checksum, call.Get(raw), call.Get(unswapped));

            void PrintCommit(ObjectName name)
            {
                CommitText.Print(call, name, call.Get(raw), call.Get(unswapped));
                GpgKeyring keys = call.Get(verifyRemote) is { } remote ? GpgKeyring.Of(call.Repo, Remote.Find(call.Repo, remote)) : GpgKeyring.Everybody(call.Repo, call.Get(SigningOptions.GpgHome));
                if (CommitSignatures.Inspect(call.Repo, name.Checksum, keys) is { } signatures)
                    GpgText.PrintSignatures(call, $"Found {GpgText.Count(signatures)}:", signatures);
            }
        });
    }

    private static Variant Attached(OstreeCall call, string rev) => call.Repo.ReadCommit(call.Repo.ResolveRequired(rev)).Metadata;

    private static Variant Detached(OstreeCall call, string rev)
    {
        Checksum commit = call.Repo.ResolveRequired(rev);
        return call.Repo.ReadCommitMeta(commit) ?? throw new RepositoryException($"No detached metadata for commit {commit}");
    }

    private static void PrintKey(OstreeCall call, Variant metadata, string key, bool hex, bool unswapped)
    {
        Variant value = metadata.Lookup(key) ?? throw new RepositoryException($"No such metadata key '{key}'");
        if (hex && value.Type == "ay")
            call.Print(Convert.ToHexStringLower(value.AsBytes().Span));
        else
            call.Print((unswapped ? value : value.ByteSwap()).Print());
    }

    private static void PrintKeys(OstreeCall call, Variant metadata)
    {
        foreach (string key in metadata.Children.Select(entry => entry[0].AsString()).Order(StringComparer.Ordinal))
            call.Print(key);
    }

    private static void PrintRelated(OstreeCall call, string rev)
    {
        foreach (Variant related in call.Repo.ReadCommit(call.Repo.ResolveRequired(rev)).RelatedObjects.Children)
            call.Print($"{related[0].AsString()} {Checksum.FromBytes(related[1].AsBytes().Span)}");
    }

    private static void PrintSizes(OstreeCall call, string rev)
    {
        long archived = 0, unpacked = 0, objects = 0, newArchived = 0, newUnpacked = 0, newObjects = 0;
        foreach (CommitSizes.Entry entry in CommitSizes.Read(call.Repo.ReadCommit(call.Repo.ResolveRequired(rev))))
        {
            archived += entry.Archived;
            unpacked += entry.Unpacked;
            objects++;
            if (call.Repo.HasObject(entry.Name))
                continue;
            newArchived += entry.Archived;
            newUnpacked += entry.Unpacked;
            newObjects++;
        }
        call.Print($"Compressed size (needed/total): {SizeText.Of(newArchived)}/{SizeText.Of(archived)}");
        call.Print($"Unpacked size (needed/total): {SizeText.Of(newUnpacked)}/{SizeText.Of(unpacked)}");
        call.Print($"Number of objects (needed/total): {newObjects}/{objects}");
    }

    private static void PrintObject(OstreeCall call, Checksum checksum, bool raw, bool unswapped)
    {
        foreach (ObjectType type in (ReadOnlySpan<ObjectType>)[ObjectType.DirMeta, ObjectType.DirTree])
        {
            var name = new ObjectName(checksum, type);
            if (!call.Repo.HasObject(name))
                continue;
            CommitText.Print(call, name, raw, unswapped);
            return;
        }
        FileHeader header = call.Repo.ReadFileHeader(checksum, out long size);
        call.Print($"Object: {checksum}");
        call.Print("Type: file");
        if (header.IsSymlink)
        {
            call.Print("File Type: symlink");
            call.Print($"Target: {header.SymlinkTarget}");
        }
        else
        {
            call.Print("File Type: regular");
            call.Print($"Size: {size}");
        }
        call.Print($"Mode: 0{Convert.ToString(header.Mode, 8).PadLeft(4, '0')}");
        call.Print($"Uid: {header.Uid}");
        call.Print($"Gid: {header.Gid}");
        call.Print($"Extended Attributes: {{ {Variant.FromBytes("a(ayay)", header.Xattrs.Serialized).Print()} }}");
    }
}
