using OciOstree.Formats.GVariant;

namespace OciOstree.Repository;

/// <summary>Lists of signatures, <c>aay</c>, in metadata.</summary>
internal static class SignatureList
{
    /// <summary>Metadata with signatures added after those that are there.</summary>
    public static Variant Append(Variant? metadata, string key, IEnumerable<byte[]> signatures)
    {
        Variant[] before = metadata?.Lookup(key, "aay")?.Children.ToArray() ?? [];
        return With(metadata, key, [.. before, .. signatures.Select(signature => Variant.Bytes(signature))]);
    }

    /// <summary>Metadata with another list, or without the key where the list is empty.</summary>
    public static Variant With(Variant? metadata, string key, IReadOnlyList<Variant> signatures)
    {
        var all = new VariantDictionary();
        foreach (Variant entry in metadata?.Children ?? [])
            if (signatures.Count > 0 || entry[0].AsString() != key)
                all[entry[0].AsString()] = entry[1].AsVariant();
        if (signatures.Count > 0)
            all[key] = Variant.Array("ay", signatures);
        return all.ToVariant();
    }
}
