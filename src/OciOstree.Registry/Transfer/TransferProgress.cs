namespace OciOstree.Registry;

/// <summary>Progress that nobody watches.</summary>
public static class TransferProgress
{
    public static ITransferProgress None { get; } = new Silent();

    private sealed class Silent : ITransferProgress, ITransferItem
    {
        public ITransferItem Begin(string label, long? totalBytes) => this;

        public void Advance(long bytes)
        {
        }

        public void Dispose()
        {
        }
    }
}
