using System.CommandLine;
using System.Globalization;
using OciOstree.Formats.GVariant;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

internal static class StaticDeltaGenerateCommand
{
    public static Command Create()
    {
        var from = Opts.Value("--from", "REV", "Create delta from revision REV");
        var empty = Opts.Flag("--empty", "Create delta from scratch");
        var inline = Opts.Flag("--inline", "Inline delta parts into main delta");
        var to = Opts.Value("--to", "REV", "Create delta to revision REV");
        var noBsdiff = Opts.Flag("--disable-bsdiff", "Disable use of bsdiff");
        var ifNotExists = Opts.Flag("--if-not-exists", "Only generate if a delta does not already exist", "-n");
        var endianness = Opts.Value("--set-endianness", "ENDIAN", "Choose metadata endianness ('l' or 'B')");
        var swap = Opts.Flag("--swap-endianness", "Swap metadata endianness from host order");
        var minFallback = Opts.Value("--min-fallback-size", "MB", "Minimum uncompressed size in megabytes for individual HTTP request");
        var maxBsdiff = Opts.Value("--max-bsdiff-size", "MB", "Maximum size in megabytes to consider bsdiff compression for input files");
        var maxChunk = Opts.Value("--max-chunk-size", "MB", "Maximum size of delta chunks in megabytes");
        var fileName = Opts.Value("--filename", "PATH", "Write the delta content to PATH (a directory).  If not specified, the OSTree repository is used");
        var sign = Opts.Many("--sign", "KEY_ID", "Sign the delta with");
        var signType = Opts.Value("--sign-type", "NAME", "Signature type to use (defaults to 'ed25519')");
        var keysFile = Opts.Value("--keys-file", "NAME", "Read key(s) from file");
        return new OstreeVerb("generate", "Generate static delta files", "[TO]", "ostree static-delta generate --repo=/srv/repo --from=main^ --to=main")
        {
            from, empty, inline, to, noBsdiff, ifNotExists, endianness, swap, minFallback, maxBsdiff, maxChunk, fileName, sign, signType, keysFile,
        }.Does((OstreeCall call) =>
        {
            Repo repo = call.Repo;
            string target = call.Get(to) ?? (call.Words.Count > 0 ? call.Words[0] : throw new RepositoryException("TO revision must be specified"));
            if (call.Get(empty) && call.Has(from))
                throw new RepositoryException("Cannot specify both --empty and --from=REV");
            DeltaName name = new(call.Get(empty) ? null : repo.ResolveRequired(call.Get(from) ?? target + "^"), repo.ResolveRequired(target));
            if (call.Get(ifNotExists) && StaticDeltaStore.Exists(repo, name))
            {
                call.Print($"Delta {name} already exists.");
                return;
            }
            DeltaGenerateOptions options = new()
            {
                UseBsdiff = !call.Get(noBsdiff),
                Inline = call.Get(inline),
                FileName = call.Get(fileName),
                Report = Console.Error.WriteLine,
            };
            options = options with
            {
                MinFallbackSize = Megabytes(call.Get(minFallback)) ?? options.MinFallbackSize,
                MaxBsdiffSize = Megabytes(call.Get(maxBsdiff)) ?? options.MaxBsdiffSize,
                MaxChunkSize = Megabytes(call.Get(maxChunk)) ?? options.MaxChunkSize,
                Endianness = Endianness(call.Get(endianness), call.Get(swap), options.Endianness),
            };
            if (call.Get(sign)!.Length > 0 || call.Has(keysFile))
            {
                Signer[] signers = Signers(SignatureType.Named(call.Get(signType) ?? "ed25519"), call.Get(sign)!, call.Get(keysFile));
                options = options with { Sign = bytes => signers.Aggregate((Variant?)null, (all, signer) => signer.AddTo(all, bytes.Span)) ?? Variant.Dictionary([]) };
            }
            call.Print("Generating static delta:");
            call.Print($"  From: {name.From?.ToString() ?? "empty"}");
            call.Print($"  To:   {name.To}");
            call.Out.Flush();
            DeltaGenerator.Run(repo, name, options, Entry.Cancellation);
        });
    }

    private static Signer[] Signers(SignatureType type, string[] keys, string? file)
    {
        IEnumerable<Signer> signers = keys.Select(key => Signer.FromText(type, key));
        if (file is null)
            return [.. signers];
        if (!File.Exists(file))
            throw new RepositoryException($"File object '{file}' is not a regular file");
        return [.. signers, .. Signer.FromFile(type, file)];
    }

    private static DeltaEndianness Endianness(string? asked, bool swap, DeltaEndianness own)
    {
        DeltaEndianness chosen = asked switch
        {
            null => own,
            "l" => DeltaEndianness.Little,
            "B" => DeltaEndianness.Big,
            _ => throw new RepositoryException($"Invalid endianness '{asked}'"),
        };
        return !swap ? chosen : chosen == DeltaEndianness.Little ? DeltaEndianness.Big : DeltaEndianness.Little;
    }

    private static long? Megabytes(string? text) =>
        text is null ? null
        : uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out uint megabytes) ? megabytes * 1_000_000L
        : throw new RepositoryException($"Invalid size '{text}': megabytes are expected");
}
