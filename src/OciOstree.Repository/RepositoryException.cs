namespace OciOstree.Repository;

/// <summary>A repository, an object or a ref that cannot be used as asked. The message is one line; the reason is the inner exception.</summary>
public class RepositoryException : Exception
{
    public RepositoryException(string message) : base(message) { }

    public RepositoryException(string message, Exception inner) : base(message, inner) { }
}
