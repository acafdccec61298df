namespace OciOstree.Container;

/// <summary>
/// What went wrong between images and commits, in one line: the message says what was being done, the inner exception why it failed.
/// </summary>
public sealed class ContainerException : Exception
{
    public ContainerException(string message)
        : base(message)
    {
    }

    public ContainerException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
