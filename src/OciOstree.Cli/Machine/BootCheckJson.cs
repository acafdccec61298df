using System.Text.Json;
using OciOstree.Sysroot;

namespace OciOstree.Cli.Machine;

/// <summary>What <c>boot-check --json</c> prints.</summary>
internal static class BootCheckJson
{
    public static void Write(Utf8JsonWriter writer, IReadOnlyList<HealthCheck> checks, bool failed, BootVerdict? verdict, Deployment? givenUp)
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion", 1);
        writer.WriteBoolean("healthy", !failed);
        writer.WriteString("verdict", verdict switch
        {
            null => null,
            BootVerdict.Retry => "retry",
            BootVerdict.RolledBack => "rolledBack",
            BootVerdict.FellBack => "fellBack",
            BootVerdict.Stay => "stay",
            _ => "continue",
        });
        writer.WriteString("givenUp", givenUp?.Path);
        writer.WriteStartArray("checks");
        foreach (var check in checks)
        {
            writer.WriteStartObject();
            writer.WriteString("path", check.Path);
            writer.WriteBoolean("required", check.IsRequired);
            writer.WriteBoolean("passed", check.Passed);
            writer.WriteString("problem", check.Problem);
            writer.WriteNumber("seconds", Math.Round(check.Duration.TotalSeconds, 3));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
