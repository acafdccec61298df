using System.Text.Json;
using OciOstree.Linux;
using OciOstree.Registry;

namespace OciOstree.Container;

/// <summary>The keys that a requirement of a policy accepts: in files, or in the policy itself.</summary>
internal sealed class PolicyKeys
{
    private readonly string member;
    private readonly List<string>? paths;
    private readonly List<byte[]>? data;

    private PolicyKeys(string member, List<string> paths) => (this.member, this.paths) = (member, paths);

    private PolicyKeys(string member, List<byte[]> data) => (this.member, this.data) = (member, data);

    /// <param name="members">Of the requirement.</param>
    /// <param name="names">The members that keys may be in, of which exactly one must be there; their ends say how: <c>Path</c>, <c>Paths</c>, <c>Data</c> or <c>Datas</c>.</param>
    internal static PolicyKeys Read(Dictionary<string, JsonElement> members, params string[] names)
    {
        if (names.Where(members.ContainsKey).ToArray() is not [var name])
        {
            throw new ContainerException($"there must be exactly one of {string.Join(", ", names)}");
        }

        var value = members[name];
        return name switch
        {
            _ when name.EndsWith("Path", StringComparison.Ordinal) => new PolicyKeys(name, [StrictJson.Text(value, name) is { Length: > 0 } path ? path : throw new ContainerException($"{name} is empty")]),
            _ when name.EndsWith("Paths", StringComparison.Ordinal) => new PolicyKeys(name, [.. NotEmpty(value, name).Select(item => StrictJson.Text(item, name))]),
            _ when name.EndsWith("Data", StringComparison.Ordinal) => new PolicyKeys(name, [Decode(value, name)]),
            _ => new PolicyKeys(name, [.. NotEmpty(value, name).Select(item => Decode(item, name))]),
        };
    }

    /// <summary>What is in each key file, with a name for messages.</summary>
    /// <exception cref="ContainerException">One cannot be read: then none counts, so that whoever needs it finds out today.</exception>
    internal List<(string Name, byte[] Content)> Load()
    {
        try
        {
            return data is not null ? [.. data.Select(bytes => ($"the key in {member}", bytes))] : [.. paths!.Select(path => (path, Files.ReadNamed(path)))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ContainerException("its key cannot be read", e);
        }
    }

    public override string ToString() => paths is null ? $"with the key in {member}" : $"with {string.Join(" or ", paths.Select(StrictJson.Show))}";

    private static List<JsonElement> NotEmpty(JsonElement value, string name) => StrictJson.Items(value, name) is { Count: > 0 } items ? items : throw new ContainerException($"{name} is empty");

    private static byte[] Decode(JsonElement value, string name) => Base64.TryDecode(StrictJson.Text(value, name), out var bytes) ? bytes : throw new ContainerException($"{name} is no base64");
}
