namespace OciOstree.Linux;

/// <summary>Advice of <c>posix_fadvise(2)</c>.</summary>
public enum FileAdvice
{
    Normal = 0,
    Random = 1,
    Sequential = 2,
    WillNeed = 3,
    DontNeed = 4,
}
