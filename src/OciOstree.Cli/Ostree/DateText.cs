using System.Globalization;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>
/// Dates as people write them, of what GNU's date(1) takes: <c>@SECONDS</c>, ISO 8601, <c>October 25 1985</c>, <c>now</c>,
/// <c>yesterday</c>, <c>2 weeks ago</c>. Without a zone they are local.
/// </summary>
internal static class DateText
{
    /// <exception cref="RepositoryException">The text is no date.</exception>
    public static DateTimeOffset Parse(string text, DateTimeOffset now)
    {
        string trimmed = text.Trim();
        // As for date(1), nothing means today, from its start.
        if (trimmed.Length == 0)
            return new DateTimeOffset(now.Date, now.Offset);
        try
        {
            if (trimmed.StartsWith('@') && double.TryParse(trimmed.AsSpan(1), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds))
                return DateTimeOffset.FromUnixTimeSeconds((long)Math.Floor(seconds));
            if (TryRelative(trimmed, now) is { } relative)
                return relative;
        }
        catch (ArgumentOutOfRangeException)
        {
            throw new RepositoryException($"Could not parse '{text}'");
        }
        return DateTimeOffset.TryParse(trimmed, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal | DateTimeStyles.AllowWhiteSpaces, out DateTimeOffset date)
            ? date
            : throw new RepositoryException($"Could not parse '{text}'");
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

    private static DateTimeOffset? TryRelative(string text, DateTimeOffset now)
    {
        switch (text)
        {
            case "now" or "today":
                return now;
            case "yesterday":
                return now.AddDays(-1);
            case "tomorrow":
                return now.AddDays(1);
        }
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        bool ago = words.Length > 0 && words[^1] == "ago";
        if (ago)
            words = words[..^1];
        if (words.Length == 1)
            words = ["1", words[0]];
        if (words.Length != 2 || !int.TryParse(words[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int count))
            return null;
        if (ago)
            count = -count;
        return words[1].TrimEnd('s') switch
        {
            "sec" or "second" => now.AddSeconds(count),
            "min" or "minute" => now.AddMinutes(count),
            "hour" => now.AddHours(count),
            "day" => now.AddDays(count),
            "week" => now.AddDays(7 * count),
            "fortnight" => now.AddDays(14 * count),
            "month" => now.AddMonths(count),
            "year" => now.AddYears(count),
            _ => null,
        };
    }
}
