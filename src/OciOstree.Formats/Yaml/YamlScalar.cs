namespace OciOstree.Formats.Yaml;

/// <summary>A single value.</summary>
/// <param name="IsPlain">Written without quotes: only then may it be anything but a string.</param>
/// <param name="Line">Where it stands, counted from 1.</param>
public sealed record YamlScalar(string Text, bool IsPlain, int Line)
{
    /// <summary>No value at all, <c>~</c> or <c>null</c>.</summary>
    public bool IsNull => IsPlain && Text is ("" or "~" or "null" or "Null" or "NULL");

    /// <summary>Null if it is no boolean. The words of YAML 1.1 count, as they do for Go's decoder.</summary>
    public bool? AsBoolean() => !IsPlain ? null : Text switch
    {
        "true" or "True" or "TRUE" or "y" or "Y" or "yes" or "Yes" or "YES" or "on" or "On" or "ON" => true,
        "false" or "False" or "FALSE" or "n" or "N" or "no" or "No" or "NO" or "off" or "Off" or "OFF" => false,
        _ => null,
    };
}
