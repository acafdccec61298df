namespace OciOstree.Container;

/// <summary>
/// Which entries of a layer name <c>usr/etc</c> itself. In a container that is a directory beside <c>/etc</c>, and hiding one leaves the other alone; in a commit both are
/// <c>usr/etc</c>. Few layers have any.
/// </summary>
internal sealed class EtcSpelling
{
    private readonly HashSet<string> ofUsr = new(StringComparer.Ordinal);
    private readonly HashSet<string> whiteoutsOfEtc = new(StringComparer.Ordinal);

    /// <summary>Paths in the commit (<c>/usr/etc/x</c>) whose last entry was under that name.</summary>
    internal IEnumerable<string> OfUsr => ofUsr;

    /// <summary>Those of them that are whiteouts which the layer has for <c>etc</c>, too.</summary>
    internal IEnumerable<string> OfBoth => ofUsr.Where(whiteoutsOfEtc.Contains);

    /// <param name="source">The path in the layer.</param>
    /// <param name="path">Where it is in the commit.</param>
    internal void Add(string[] source, string[] path)
    {
        if (source is ["usr", "etc" or LayerPath.WhiteoutPrefix + "etc", ..])
        {
            ofUsr.Add(Absolute(path));
        }
        else if (source is ["etc", ..] or [LayerPath.WhiteoutPrefix + "etc"])
        {
            if (LayerPath.IsWhiteout(path[^1]))
            {
                whiteoutsOfEtc.Add(Absolute(path));
            }
            else if (ofUsr.Count > 0)
            {
                ofUsr.Remove(Absolute(path));
            }
        }
    }

    /// <summary>Notes a whiteout that stands for something left out, under the name that it had.</summary>
    internal void AddWhiteoutOf(string[] path, string[] whiteout)
    {
        if (ofUsr.Count > 0 && ofUsr.Contains(Absolute(path)))
        {
            ofUsr.Add(Absolute(whiteout));
        }
        else if (path is ["usr", "etc", ..])
        {
            whiteoutsOfEtc.Add(Absolute(whiteout));
        }
    }

    private static string Absolute(string[] path) => "/" + string.Join('/', path);
}
