using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>Words that come in pairs: a collection and a ref of it.</summary>
internal static class CollectionRefWords
{
    /// <param name="from">How many words come before the pairs.</param>
    public static List<CollectionRef> Parse(OstreeCall call, int from)
    {
        call.Need(from + 2, "At least one COLLECTION-ID REF pair must be specified");
        if ((call.Words.Count - from) % 2 != 0)
            throw new UsageException("Only complete COLLECTION-ID REF pairs may be specified", withHelp: true);
        List<CollectionRef> refs = [];
        for (int i = from; i < call.Words.Count; i += 2)
        {
            RefName.ValidateCollectionId(call.Words[i]);
            RefName.Validate(call.Words[i + 1]);
            refs.Add(new CollectionRef(call.Words[i], call.Words[i + 1]));
        }
        return refs;
    }
}
