using System.Globalization;
using OciOstree.Cli.Ostree;
using OciOstree.Testing;

namespace OciOstree.Cli.Tests;

/// <summary>What the real program takes for a date, and which one it takes it for, in a zone with summer time.</summary>
public sealed class DateTextTests
{
    private static readonly string[] Dates =
    [
        "2024-06-01 12:00:00 UTC", "@123", "@-5", "@1.5", "@ 17", "@17 UTC", "2005-10-29 12:43:29 +0000", "2005-10-29 12:43:29 +02:30",
        "2005-10-29 12:43:29+0230", "2005-10-29 12:43:29 -3", "2005-10-29T12:43:29Z", "2005-10-29T12:43:29.5Z", "2005-10-29T12:43:29,5Z",
        "2005-10-29T12:43:29", "2005-10-29T12:43", "2005-10-29t12:43z", "2005-10-29", "05-10-29", "2005-1-2", "20051029", "051029", "20051029 1243",
        "20051029T124329", "20051029T1243", "2005-10-29 12", "2005-10-29 1243", "10/29/2005", "10/29/05", "2005/10/29", "10/29", "29 October 2005",
        "29 Oct 2005", "29-OCT-2005", "29oct2005", "Oct 29 2005", "Oct-29-2005", "October 29, 2005", "Oct. 29, 2005", "oct 29", "29 oct", "Sept 5 2005",
        "sep 5 2005 10pm", "5pm 29 oct 2005", "5:30 PM 29 oct 2005", "5:30 p.m. 29 oct 2005", "12am 29 oct 2005", "12pm 29 oct 2005", "13pm 29 oct 2005",
        "0am 29 oct 2005", "12:60 29 oct 2005", "25:00 29 oct 2005", "24:00 29 oct 2005", "12:43:60 29 oct 2005", "12:43:61 29 oct 2005", "2005-02-30",
        "2005-02-29", "2004-02-29", "2005-13-01", "2005-00-01", "Sat, 29 Oct 2005 12:43:29 GMT", "Sat 29 Oct 2005 12:43:29 GMT",
        "Sat Oct 29 12:43:29 UTC 2005", "Sat Oct 29 12:43:29 2005", "Sun, 29 Oct 2005 12:43:29 +0100", "2005-10-29 monday", "2005-10-29 EST",
        "2005-10-29 12:00 EST", "2005-10-29 12:00 EDT", "2005-10-29 12:00 EST DST", "2005-10-29 12:00 PST8PDT", "2005-10-29 12:00 CEST",
        "2005-10-29 12:00 UTC+3", "2005-10-29 12:00 UTC-03:30", "2005-10-29 12:00 Z", "2005-10-29 12:00 A", "2005-10-29 12:00 J", "2005-10-29 12:00 T",
        "2005-10-29 12:00 UT", "2005-10-29 12:00 WET", "2005-10-29 12:00 JST", "2005-10-29 12:00 IST", "2005-10-29 12:00 NZST", "2005-10-29 12:00 XYZ",
        "2005-10-29 + 1 day", "2005-10-29 +1 day", "2005-10-29 1 day", "2005-10-29 -1 day", "2005-10-29 - 1 day", "2005-10-29 1 day ago",
        "2005-10-29 -1 day ago", "2005-10-29 1 month", "2005-01-31 1 month", "2005-01-31 +1 months", "2004-02-29 1 year", "2005-10-29 2 weeks",
        "2005-10-29 2 weeks ago", "2005-10-29 fortnight", "2005-10-29 12:00 +1 day", "2005-10-29 12:00 UTC +1 day", "2005-10-29 12:00 UTC 1 day",
        "2005-10-29 12:00 UTC 1 day ago", "2005-10-29 12:00 UTC 1 hour 30 minutes", "2005-10-29 12:00 UTC 1 hour 30 min ago", "2005-10-29 12:00 UTC 5 secs",
        "2005-10-29 12:00 UTC 5 seconds", "2005-10-29 12:00 UTC next week", "2005-10-29 12:00 UTC last year", "2005-10-29 12:00 UTC third month",
        "2005-10-29 12:00 UTC tomorrow", "2005-10-29 12:00 UTC yesterday", "2005-10-29 12:00 UTC today", "2005-10-29 12:00 UTC now",
        "2005-10-29 12:00 UTC 1 day hence", "2005-10-29 12:00 UTC last second", "2005-10-29 12:00 UTC 1.5 seconds", "2005-10-29 noon", "2005-10-29 midnight",
        "2005-10-29 (a comment) 12:00 UTC", "2005-10-29 (a (nested) comment) 12:00 UTC", "2005-10-29 (open 12:00", "TZ=\"America/New_York\" 2005-10-29 12:00",
        "TZ=\"Europe/Berlin\" 2005-07-29 12:00", "TZ=\"UTC\" 2005-10-29", "TZ=UTC 2005-10-29", "Monday 2005-10-29", "next monday 2005-10-29", "nope", "12x",
        "2005", "1969-12-31 23:59:59 UTC", "1970-01-01 00:00:00 UTC", "2038-01-19 03:14:08 UTC", "9999-12-31 UTC", "10000-01-01 UTC", "99999999999999999999",
        "2005-10-29 12:00 12:00", "2005-10-29 2005-10-30", "2005-10-29 UTC UTC", "2005-10-29 UTC EST", "1 2 3", "12:00 2005-10-29", "12:00UTC 2005-10-29",
        "2005-10-29,12:00", "2005-10-29 at 12:00", "October 25 1985", "25 october 1985 10:00", "Fri, 25 Oct 1985 1:00 am -0800", "1985-10-25 1 fortnight ago",
        "1985-10-25 11 days 2 hours ago", "1985-10-25 a day", "1985-10-25 twelfth day", "1985-10-25 2nd day", "-1985-10-25", "1985-10--25",
        "1985-10-25 00:00:00.123456789 +0000", "1985-10-25 00:00:00.123456789123 +0000", "1985-10-25  00:00:00    +0000", "\t1985-10-25\tUTC",
        "1985-10-25 UTC.", "1985-10-25 00:00:00 +2500", "1985-10-25 00:00:00 +24:00", "1985-10-25 00:00:00 +5:30", "1985-10-25 00:00:00 +530",
        "1985-03-31 02:30 Europe/Berlin", "1985-10-25 00 +1 day", "1985-10-25 10 +0100", "1985-10-25 10+01", "1985-10-25T10+01", "1985-10-25T10:00+01:00",
        "1985-10-25T10:00 +1 day", "1 Jan", "Jan 1 00:00 1970 UTC", "jan 1 1970 utc", "Mon Jan 1 1970", "0", "00", "000000", "1234", "12345", "123456",
        "1234567", "29 oct 10:00", "29 oct 10pm", "oct 29 5 days", "29 oct 2005 5 days", "29 oct 2/3", "", " ", "monday", "next monday",
        "last friday", "3 monday", "third monday", "monday 10:00", "this week", "1 month ago", "yesterday 12:00", "+1 hour", "1 hour 2005-10-29",
        "2005-10-29 10:00:00 5 hours", "10:00 29 oct", "2005-10-29 10 pm", "2005-10-29 a.m.", "2005-03-27 02:30", "2005-10-30 02:30",
        "TZ=\"Europe/Berlin\" 2005-03-27 02:30", "TZ=\"nope\" 2005-10-29", "TZ=\"\" 2005-10-29", "TZ=\"EST5EDT\" 2005-10-29",
        "2005-10-29 -1", "1 week 2 days ago", "2 days ago 1 week", "oct", "october 2005", "2005 october", "2005-10", "1.5 hours", "-1.5 seconds",
        "2005-10-29 -1.5 seconds", "2005-10-29 10:00:00 PST -1 hour", "1985-10-25T", "@", "@x", "@1 2", "@-1.5", "@+5", "TZ=\"UTC\" @5", "now + 1 day",
        "mon, 25 oct 1985", "25.10.1985", "10-25", "32 oct 2005", "0 oct 2005", "2005-10-29 1 second ago", "2005-10-29 12:00:30.25 UTC",
        "2005-10-29 23:59:59.999 UTC", "2005-10-29 10:00am", "2005-10-29 10:00 am UTC", "12/25/1999 10:00 est", "99/12/25", "1999/12/25", "12/25/99",
        "12/25/68", "12/25/69", "2005-10-29 000000", "8 25 oct",
        "2005-03-27 02:30:00 UTC", "1985-10-25T25:00", "\u00e9", "2005-10-29 \u0661 day", "TZ=\"",
    ];

    [Fact]
    public void AllIsTakenAsTheRealProgramDoes()
    {
        using var scratch = new ScratchDirectory();
        File.WriteAllText(scratch["dates"], string.Join('\n', Dates) + "\n");
        string[] real = Tool.Shell("""
            mkdir empty; ostree init --repo=repo --mode=archive; ostree --repo=repo config set core.fsync false
            while IFS= read -r date; do
              if commit=$(TZ=Europe/Berlin ostree --repo=repo commit --orphan --timestamp="$date" empty 2>/dev/null); then
                echo "$date => $(ostree --repo=repo show --raw "$commit" | grep -o 'uint64 [0-9]*' | tail -1)"
              else
                echo "$date => none"
              fi
            done < dates
            """, scratch.Path).Ok().Output.TrimEnd('\n').Split('\n');
        TimeZoneInfo berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var different = new List<string>();
        for (int i = 0; i < Dates.Length; i++)
        {
            string text = real[i][(real[i].LastIndexOf("=> ", StringComparison.Ordinal) + 3)..];
            long? wanted = text == "none" ? null : unchecked((long)ulong.Parse(text["uint64 ".Length..], CultureInfo.InvariantCulture)), ours = Parse(Dates[i], now, berlin);
            // What is counted from now moves while this runs.
            if (wanted != ours && !(wanted - ours is > -600 and <= 0))
                different.Add($"{Dates[i]}: {wanted?.ToString(CultureInfo.InvariantCulture) ?? "none"}, not {ours?.ToString(CultureInfo.InvariantCulture) ?? "none"}");
        }
        Assert.True(different.Count == 0, string.Join('\n', different));
    }

    private static long? Parse(string text, long now, TimeZoneInfo zone)
    {
        try
        {
            return DateParser.Parse(text, now, zone);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return null;
        }
    }
}
