namespace OciOstree.Testing;

/// <summary>How a program is started, where the defaults do not do.</summary>
public sealed record ToolStart(string Program)
{
    public string? Directory { get; init; }

    public byte[]? Input { get; init; }

    public TimeSpan? Timeout { get; init; }

    /// <summary>Variables to set; a null value unsets one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();
}
