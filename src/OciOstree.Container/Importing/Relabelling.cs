using System.Collections.Concurrent;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container;

/// <summary>
/// Gives objects that are in a repository the labels that their paths ask for, as other objects where they have not got them. The same object with the same
/// label is made once, so that layers and the trees they are united to share it.
/// </summary>
internal sealed class Relabelling
{
    // So many are looked at together; a tree may have millions.
    private const int MaxJobs = 8192;

    private readonly Repo repo;
    private readonly RepoTransaction transaction;
    private readonly ContentLabels? labels;
    private readonly CancellationToken cancellationToken;
    private readonly ConcurrentDictionary<(Checksum Object, string Label), Checksum> files = new();
    private readonly Dictionary<(Checksum Object, string Label), Checksum> metas = [];
    private readonly Dictionary<Checksum, DirMeta> read = [];

    /// <param name="labels">Null takes labels away.</param>
    internal Relabelling(Repo repo, RepoTransaction transaction, ContentLabels? labels, CancellationToken cancellationToken) =>
        (this.repo, this.transaction, this.labels, this.cancellationToken) = (repo, transaction, labels, cancellationToken);

    /// <summary>Labels what a tree has other than a base; all of it without one. What is the same at the same path keeps the base's labels.</summary>
    internal void LabelChanges(MutableTree tree, (Checksum Tree, Checksum Meta)? from)
    {
        List<FileJob> jobs = [];
        Collect(tree, from?.Tree, from?.Meta, "/", jobs);
        Run(jobs);
    }

    /// <summary>The commit of a derived layer with labelled content; what else it says stays.</summary>
    internal Checksum LabelLayer(Checksum layerCommit)
    {
        var commit = repo.ReadCommit(layerCommit);
        var tree = MutableTree.FromCommit(repo, layerCommit);
        LabelChanges(tree, from: null);
        return transaction.WriteCommit(commit with
        {
            Metadata = LayerMetadata.WithLabels(commit.Metadata, labels?.Id),
            RootTree = tree.Write(transaction),
            RootMeta = tree.Metadata!.Value,
        });
    }

    private void Collect(MutableTree tree, Checksum? baseTree, Checksum? baseMeta, string path, List<FileJob> jobs)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (tree.Metadata is { } meta && meta != baseMeta)
        {
            tree.Metadata = LabelMeta(path.Length == 1 ? path : path[..^1], meta);
        }

        if (tree.Contents is { } contents && contents == baseTree)
        {
            return;
        }

        var under = baseTree is { } stored ? repo.ReadDirTree(stored) : null;
        foreach (var (name, checksum) in tree.Files)
        {
            // A whiteout is no content, and gets no label.
            if (!(under is not null && under.TryGetFile(name, out var before) && before == checksum) && !LayerPath.IsWhiteout(name))
            {
                jobs.Add(new FileJob(tree, name, path + name, checksum));
            }
        }

        if (jobs.Count >= MaxJobs)
        {
            Run(jobs);
        }

        foreach (var (name, directory) in tree.Directories)
        {
            var known = under is not null && under.TryGetDirectory(name, out var found) ? found : (DirTreeDirectory?)null;
            Collect(directory, known?.Tree, known?.Meta, $"{path}{name}/", jobs);
        }
    }

    // Reading headers and writing objects is what takes time; the trees are changed by one thread.
    private void Run(List<FileJob> jobs)
    {
        var results = new Checksum[jobs.Count];
        BoundedWork.Run(jobs.Count, Environment.ProcessorCount, (index, _) => results[index] = LabelFile(jobs[index].Path, jobs[index].Checksum), cancellationToken);
        for (var index = 0; index < jobs.Count; index++)
        {
            jobs[index].Tree.SetFile(jobs[index].Name, results[index]);
        }

        foreach (var tree in jobs.Select(job => job.Tree).Distinct())
        {
            tree.TryUnload(repo);
        }

        jobs.Clear();
    }

    private Checksum LabelFile(string path, Checksum checksum)
    {
        var header = repo.ReadFileHeader(checksum, out _);
        var label = labels?.Of(path, header.Mode);
        if (header.Xattrs.Label == label)
        {
            return checksum;
        }

        var key = (checksum, label ?? "");
        return files.TryGetValue(key, out var known) ? known : files[key] = Write(checksum, header with { Xattrs = header.Xattrs.WithLabel(label) });
    }

    private Checksum Write(Checksum checksum, FileHeader header)
    {
        if (header.IsSymlink)
        {
            return transaction.WriteSymlink(header);
        }

        using var file = repo.OpenFile(checksum);
        return file.Handle is { } handle ? transaction.WriteFile(header, handle, file.Size) : transaction.WriteFile(header, file.Size, file.Content);
    }

    private Checksum LabelMeta(string path, Checksum checksum)
    {
        if (!read.TryGetValue(checksum, out var meta))
        {
            read.Add(checksum, meta = repo.ReadDirMeta(checksum));
        }

        var label = labels?.Of(path, meta.Mode);
        if (meta.Xattrs.Label == label)
        {
            return checksum;
        }

        if (!metas.TryGetValue((checksum, label ?? ""), out var labelled))
        {
            metas.Add((checksum, label ?? ""), labelled = transaction.WriteDirMeta(meta with { Xattrs = meta.Xattrs.WithLabel(label) }));
        }

        return labelled;
    }

    private sealed record FileJob(MutableTree Tree, string Name, string Path, Checksum Checksum);
}
