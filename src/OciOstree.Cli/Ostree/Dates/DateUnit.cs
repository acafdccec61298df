namespace OciOstree.Cli.Ostree;

/// <summary>What a date is changed by.</summary>
internal enum DateUnit
{
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Year,
}
