namespace OciOstree.Registry;

/// <summary>What went wrong with an image or the place that it lives in, in one line and without secrets.</summary>
public sealed class RegistryException : Exception
{
    public RegistryException(string message)
        : base(message)
    {
    }

    public RegistryException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
