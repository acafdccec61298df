namespace OciOstree.Repository;

/// <summary>An object's bytes are not what its name says; from elsewhere it may be had whole.</summary>
public sealed class CorruptedObjectException : RepositoryException
{
    public CorruptedObjectException(string message)
        : base(message)
    {
    }

    public CorruptedObjectException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
