namespace OciOstree.Repository;

/// <summary>
/// Writes dirtree objects in the background: a parent needs only its children's checksums, not that they are on disk already.
/// </summary>
internal sealed class DirTreeWriter : IDisposable
{
    private readonly WorkQueue<(Checksum Checksum, byte[] Bytes)> queue;

    public DirTreeWriter(RepoTransaction transaction) =>
        queue = new WorkQueue<(Checksum Checksum, byte[] Bytes)>("dirtrees", capacity: 256,
            tree => transaction.WriteMetadata(ObjectType.DirTree, tree.Bytes, tree.Checksum));

    public Checksum Add(DirTree tree)
    {
        byte[] bytes = tree.Serialize();
        Checksum checksum = Checksum.Compute(bytes);
        queue.Add((checksum, bytes));
        return checksum;
    }

    /// <summary>Waits until everything is written.</summary>
    public void Finish() => queue.Finish();

    public void Dispose() => queue.Dispose();
}
