namespace OciOstree.Boot.Tests;

/// <summary>What a guest runs: to move to the second version on its first boot, to go back on its second, and to tell where it is.</summary>
internal sealed record GuestCommands(string Move, string Back, string Status, string StatusJson);
