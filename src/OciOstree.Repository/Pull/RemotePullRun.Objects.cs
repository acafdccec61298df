namespace OciOstree.Repository;

internal sealed partial class RemotePullRun
{
    private void Bring(PullItem item)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!transaction.HasObject(item.Name) && !FromCache(item.Name))
        {
            if (item.Name.Type == ObjectType.File)
                FetchContent(item.Name.Checksum);
            else
                FetchMetadata(item.Name);
        }
        if (item.Name.Type == ObjectType.DirTree)
            Expand(destination.ReadDirTree(item.Name.Checksum), item.Below);
        options.Progress(queue.Done, queue.Total, access.BytesTransferred);
    }

    private void Expand(DirTree tree, SubpathSet? below)
    {
        foreach (DirTreeFile file in tree.Files)
            if (below is null || below.Has(file.Name, out _))
                queue.Add(new PullItem(new ObjectName(file.Checksum, ObjectType.File), null));
        foreach (DirTreeDirectory directory in tree.Directories)
        {
            SubpathSet? deeper = null;
            if (below is not null && !below.Has(directory.Name, out deeper))
                continue;
            queue.Add(new PullItem(new ObjectName(directory.Meta, ObjectType.DirMeta), null));
            queue.Add(new PullItem(new ObjectName(directory.Tree, ObjectType.DirTree), deeper));
        }
    }

    private bool FromCache(ObjectName name)
    {
        foreach (Repo cache in options.LocalCaches)
        {
            if (!cache.HasObject(name))
                continue;
            transaction.ImportObject(cache, name, verify: true);
            return true;
        }
        return false;
    }

    private void FetchMetadata(ObjectName name)
    {
        if (!TryFetchMetadata(name))
            throw NotFound(PathOf(name));
    }

    private bool TryFetchMetadata(ObjectName name) =>
        TryFetch(name, Repo.MaxMetadataSize, null, object_ => transaction.WriteMetadata(name.Type, object_.Bytes, name.Checksum), ref metadataFetched);

    private void FetchContent(Checksum checksum)
    {
        ObjectName name = new(checksum, ObjectType.File);
        bool begun = false;
        if (!TryFetch(name, long.MaxValue, Arrived, object_ => transaction.WriteArchived(object_, checksum, options.BareUserOnlyFiles, options.HttpTrusted ? options.Damaged : null), ref contentFetched))
            throw NotFound(PathOf(name));

        // A server must not fill the disk with what claims to be a file.
        void Arrived(DownloadedObject object_)
        {
            if (!begun && object_.LimitAsArchived() is { } size)
            {
                begun = true;
                transaction.RequireSpace(size);
            }
        }
    }

    // Where one server has it damaged another may have it whole.
    private bool TryFetch(ObjectName name, long limit, Action<DownloadedObject>? arrived, Action<DownloadedObject> store, ref int fetched)
    {
        string path = PathOf(name);
        for (int mirror = 0; ; mirror++)
        {
            using DownloadedObject object_ = new(transaction.CreateStagedFile, limit);
            if (!fetcher.TryFetchObject(path, object_, ref mirror, arrived))
                return false;
            try
            {
                store(object_);
                Interlocked.Increment(ref fetched);
                return true;
            }
            catch (CorruptedObjectException) when (mirror + 1 < fetcher.Mirrors)
            {
                continue;
            }
            catch (CorruptedObjectException e)
            {
                throw new RepositoryException($"While fetching {fetcher.Describe(path, mirror)}", e);
            }
        }
    }
}
