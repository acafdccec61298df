namespace OciOstree.Sysroot;

/// <summary>What the boots of a deployment have shown of it.</summary>
public enum HealthState
{
    /// <summary>No boot of it has passed its checks yet.</summary>
    Unproven,
    /// <summary>A boot has passed them: from then on a failure is told, but does not change what boots.</summary>
    Good,
    /// <summary>It was given up.</summary>
    Bad,
}
