using System.Diagnostics;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// The transactions of one import. Layers share one, since flushing and moving objects costs much the same for one layer as for all.
/// Only an import that takes minutes is cut into several, so that a power cut does not cost all of it.
/// </summary>
internal sealed class LayerTransactions : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(60);

    private readonly object gate = new();
    private readonly Repo repo;
    private readonly HashSet<Group> open = [];
    private Group? current;

    internal LayerTransactions(Repo repo) => this.repo = repo;

    /// <summary>The one that is open now, with what an interrupted import had staged.</summary>
    internal RepoTransaction Current
    {
        get
        {
            lock (gate)
            {
                return CurrentGroup().Transaction;
            }
        }
    }

    /// <summary>The transaction for a layer, until the lease is disposed.</summary>
    internal Lease Enter()
    {
        lock (gate)
        {
            if (current is { } old && old.Finished > 0 && Stopwatch.GetElapsedTime(old.Begun) > Interval)
            {
                current = null;
                old.IsRetired = true;
            }

            var group = CurrentGroup();
            group.Users++;
            return new Lease(this, group);
        }
    }

    /// <summary>Makes everything visible, the refs set last included.</summary>
    internal void Commit()
    {
        Group last;
        lock (gate)
        {
            last = CurrentGroup();
            current = null;
            open.Remove(last);
        }

        using (last.Transaction)
        {
            last.Transaction.Commit();
        }
    }

    /// <summary>Leaves what was staged for the next import.</summary>
    public void Dispose()
    {
        foreach (var group in open)
        {
            group.Transaction.Dispose();
        }

        open.Clear();
        current = null;
    }

    private Group CurrentGroup()
    {
        if (current is null)
        {
            current = new Group(repo.BeginTransaction());
            open.Add(current);
            current.Transaction.Resume();
        }

        return current;
    }

    private void Leave(Group group, Checksum? commit)
    {
        lock (gate)
        {
            if (commit is { } done)
            {
                group.Finished++;
                group.Commits.Add(done);
            }
            else
            {
                group.HasFailed = true;
            }

            if (--group.Users > 0 || !group.IsRetired || group.HasFailed)
            {
                return;
            }

            open.Remove(group);
        }

        using (group.Transaction)
        {
            foreach (var commitOfGroup in group.Commits)
            {
                // The chunks of an ostree layer's commit may be in the next group.
                if (ObjectCheck.FindMissing(repo, commitOfGroup) is not null)
                {
                    group.Transaction.MarkPartial(commitOfGroup, true);
                }
            }

            group.Transaction.Commit();
        }
    }

    internal sealed class Lease(LayerTransactions owner, Group group) : IDisposable
    {
        private Checksum? commit;

        internal RepoTransaction Transaction => group.Transaction;

        /// <summary>The layer is verified and whole.</summary>
        internal void Complete(Checksum layerCommit) => commit = layerCommit;

        public void Dispose() => owner.Leave(group, commit);
    }

    internal sealed class Group(RepoTransaction transaction)
    {
        internal RepoTransaction Transaction => transaction;

        internal long Begun { get; } = Stopwatch.GetTimestamp();

        internal List<Checksum> Commits { get; } = [];

        internal int Users { get; set; }

        internal int Finished { get; set; }

        internal bool IsRetired { get; set; }

        internal bool HasFailed { get; set; }
    }
}
