using System.Globalization;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>
/// Dates as people write them: all that ostree takes, which is what GNU's <c>date -d</c> does. <c>@SECONDS</c>, ISO 8601, <c>October 25 1985</c>, <c>25-OCT-1985 5pm EST</c>,
/// <c>yesterday</c>, <c>2 weeks ago</c>. Without a zone they are local.
/// </summary>
internal static class DateText
{
    /// <returns>Seconds since 1970.</returns>
    /// <exception cref="RepositoryException">The text is no date.</exception>
    public static long Parse(string text, DateTimeOffset now)
    {
        try
        {
            return DateParser.Parse(text, now.ToUnixTimeSeconds(), TimeZoneInfo.Local);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw new RepositoryException($"Could not parse '{text}'");
        }
    }

    /// <summary>Seconds since 1970: of <c>SOURCE_DATE_EPOCH</c> for builds that give the same commit each time, else of the clock.</summary>
    public static ulong Now()
    {
        if (Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") is not { } epoch)
            return (ulong)DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        // As strtoll: what follows the number does not matter.
        int length = epoch.AsSpan().IndexOfAnyExceptInRange('0', '9');
        string digits = length < 0 ? epoch : epoch[..length];
        if (digits.Length == 0)
            throw new RepositoryException("Failed to convert SOURCE_DATE_EPOCH");
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            ? (ulong)seconds
            : throw new RepositoryException("Parsing SOURCE_DATE_EPOCH: Numerical result out of range");
    }
}
