namespace OciOstree.Boot.Tests;

/// <summary>What a guest runs: at the end of each boot but the last (a reboot follows), and to tell where it is.</summary>
internal sealed record GuestCommands(string Status, string StatusJson, params string[] Steps)
{
    /// <summary>The boot on which the guest is one with systemd, so that its step is staged and finalised at shutdown; 0 is none.</summary>
    internal int StageOn { get; init; }

    /// <summary>What tells more of a boot, as <c>out facts</c>; null for nothing.</summary>
    internal string? Facts { get; init; }

    /// <summary>As the guest's shell reads it.</summary>
    internal string Configuration =>
        $"STATUS='{Status}'\nSTATUS_JSON='{StatusJson}'\nSTAGE_ON={StageOn}\nFACTS='{Facts}'\n" + string.Concat(Steps.Select((step, i) => $"STEP{i + 1}='{step}'\n"));
}
