using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using OciOstree.Linux;

namespace OciOstree.Repository;

/// <summary>
/// Finds labels by a policy with libselinux, which is asked about a path with only those expressions that can match in its directory, and by each thread for itself:
/// with all of them it takes some 200 microseconds, one at a time. Safe for use by many threads.
/// </summary>
internal sealed class LabelSearch : IDisposable
{
    // So few are tried in no time: what lies deeper is searched with the same.
    private const int Few = 48;

    // Directories that are told apart at most. What is beyond is searched with more expressions than it needs.
    private const int MaxPlaces = 50_000;

    private readonly PolicyExpressions expressions;
    private readonly Place root;
    private readonly ConcurrentDictionary<string, Place> places = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Checksum, Searcher> searchers = [];

    /// <exception cref="LinuxException">libselinux does not take the policy.</exception>
    internal LabelSearch(PolicyExpressions expressions)
    {
        this.expressions = expressions;
        var all = new Searcher(expressions.OpenAll);
        root = new Place(expressions.All, all, IsFinal: expressions.All.Length <= Few);
        // What is wrong with the policy as a whole is to be known now.
        all.Prepare();
    }

    /// <inheritdoc cref="FileContexts.Find"/>
    internal string? Find(string path, uint mode)
    {
        Place place = root;
        // libselinux takes slashes that are doubled, or at the end, for what they mean; with all expressions that makes no difference.
        if (!path.Contains("//", StringComparison.Ordinal) && !path.EndsWith('/'))
        {
            var known = places.GetAlternateLookup<ReadOnlySpan<char>>();
            for (int at = 1; !place.IsFinal && path.AsSpan(at).IndexOf('/') is >= 0 and var length; at += length + 1)
            {
                ReadOnlySpan<char> directory = path.AsSpan(0, at + length);
                if (known.TryGetValue(directory, out Place? next))
                    place = next;
                else if (places.Count < MaxPlaces)
                    place = places.GetOrAdd(directory.ToString(), Make, place);
                else
                    break;
            }
        }
        return place.Searcher.Find(path, mode);
    }

    public void Dispose()
    {
        root.Searcher.Dispose();
        foreach (Searcher searcher in searchers.Values)
            searcher.Dispose();
    }

    private Place Make(string directory, Place parent)
    {
        int[] lines = expressions.ThatMatchBeneath(directory, parent.Lines);
        if (expressions.MaySubstituteBeneath(directory, out bool everywhere))
            return new Place(lines, root.Searcher, everywhere);
        // Most directories are none of the policy's business, and share what concerns those above them.
        var key = Checksum.Compute(MemoryMarshal.AsBytes<int>(lines));
        Searcher searcher = lines.Length == expressions.All.Length ? root.Searcher : searchers.GetOrAdd(key, _ => new Searcher(() => expressions.Open(lines)));
        return new Place(lines, searcher, lines.Length <= Few);
    }

    /// <summary>What is searched beneath a directory.</summary>
    /// <param name="Lines">What can match there, whether or not they are searched.</param>
    /// <param name="IsFinal">Whether it is the same however deep.</param>
    private sealed record Place(int[] Lines, Searcher Searcher, bool IsFinal);

    /// <summary>Some expressions, loaded once for each thread that searches them at the same time.</summary>
    private sealed class Searcher(Func<FileContexts> open) : IDisposable
    {
        private readonly ConcurrentBag<FileContexts> idle = [];

        internal void Prepare() => idle.Add(open());

        internal string? Find(string path, uint mode)
        {
            if (!idle.TryTake(out FileContexts? contexts))
                contexts = open();
            try
            {
                return contexts.Find(path, mode);
            }
            finally
            {
                idle.Add(contexts);
            }
        }

        public void Dispose()
        {
            while (idle.TryTake(out FileContexts? contexts))
                contexts.Dispose();
        }
    }
}
