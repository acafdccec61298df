namespace OciOstree.Linux;

public static class ErrorChain
{
    /// <summary>What failed, on one line, outermost first: <c>Importing X: Fetching layer Y: connection reset</c>.</summary>
    public static string Of(Exception failure) => failure.InnerException is { } cause ? $"{failure.Message}: {Of(cause)}" : failure.Message;
}
