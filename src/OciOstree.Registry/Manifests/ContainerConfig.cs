using System.Text.Json;

namespace OciOstree.Registry;

/// <summary>What a container of the image runs, and the image's labels: the <c>config</c> member of an image configuration.</summary>
public sealed record ContainerConfig
{
    private const string What = "image configuration";

    public string? User { get; init; }

    public IReadOnlyList<string>? Env { get; init; }

    public IReadOnlyList<string>? Entrypoint { get; init; }

    public IReadOnlyList<string>? Cmd { get; init; }

    public string? WorkingDir { get; init; }

    public string? StopSignal { get; init; }

    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>Members that this type does not know (volumes, ports, health checks), kept for writing it again.</summary>
    internal IReadOnlyDictionary<string, JsonElement>? Others { get; init; }

    /// <exception cref="RegistryException">It is no <c>config</c> member of an image configuration.</exception>
    public static ContainerConfig Parse(ReadOnlyMemory<byte> bytes) => Json.Parse(bytes, What, Read);

    internal static ContainerConfig Read(JsonElement element)
    {
        Json.RequireObject(element, What);
        return new ContainerConfig
        {
            User = Json.String(element, "User", What),
            Env = Json.Strings(element, "Env", What),
            Entrypoint = Json.Strings(element, "Entrypoint", What),
            Cmd = Json.Strings(element, "Cmd", What),
            WorkingDir = Json.String(element, "WorkingDir", What),
            StopSignal = Json.String(element, "StopSignal", What),
            Labels = Json.StringMap(element, "Labels", What),
            Others = Json.Others(element, "User", "Env", "Entrypoint", "Cmd", "WorkingDir", "StopSignal", "Labels"),
        };
    }

    internal void Write(StableJson json)
    {
        json.BeginObject(Others);
        json.List("Cmd", Cmd);
        json.List("Entrypoint", Entrypoint);
        json.List("Env", Env);
        json.Map("Labels", Labels);
        json.Text("StopSignal", StopSignal);
        json.Text("User", User);
        json.Text("WorkingDir", WorkingDir);
        json.EndObject();
    }
}
