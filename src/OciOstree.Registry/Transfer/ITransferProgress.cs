namespace OciOstree.Registry;

/// <summary>Told about transfers as they happen. Called from several threads.</summary>
public interface ITransferProgress
{
    /// <summary>A transfer begins; disposing the item ends it.</summary>
    /// <param name="label">What is moved, short enough for a column.</param>
    /// <param name="totalBytes">Its size, where known.</param>
    ITransferItem Begin(string label, long? totalBytes);

    /// <summary>What is to come in all, where that is known before the first transfer begins. May be said several times: it adds up.</summary>
    void Expect(int transfers, long bytes)
    {
    }
}
