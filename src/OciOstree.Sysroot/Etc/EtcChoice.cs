namespace OciOstree.Sysroot;

/// <summary>What becomes of one path of <c>/etc</c>.</summary>
public readonly record struct EtcChoice(string Path, EtcFate Fate);
