namespace OciOstree.Registry;

/// <summary>One transfer under way.</summary>
public interface ITransferItem : IDisposable
{
    /// <summary>So many more bytes have moved.</summary>
    void Advance(long bytes);
}
