namespace OciOstree.Cli.Ostree;

internal sealed partial class DateParser
{
    private long Resolve(TimeZoneInfo local, long now)
    {
        if (dates > 1 || times > 1 || zones > 1 || weekdays > 1)
            throw new FormatException("Something is said twice");
        if (year < 0 && yearDigits > 0)
            throw new FormatException("No such year");
        if (yearDigits == 2)
            year += year < 69 ? 2000 : 1900;
        if (times > 0)
            hour = Hour();
        else if (!(changes > 0 && dates == 0 && weekdays == 0))
            hour = minute = second = 0;
        if (month is < 1 or > 12 || day < 1 || day > DaysIn(year, month) || minute > 59 || second > 59)
            throw new FormatException("No such date or time");
        if (zones == 0 && IsSkipped(local, Days(year, month, day), hour * 3600 + minute * 60 + second))
            throw new FormatException("No such time in this zone");

        long days = Days(year, month, day);
        if (weekdays > 0 && dates == 0)
        {
            // 1970 began on a Thursday.
            long today = Modulo(days + 4, 7);
            long ordinal = weekdayOrdinal - (weekdayOrdinal > 0 && today != weekday ? 1 : 0);
            days = checked(days + Modulo(weekday - today, 7) + 7 * ordinal);
        }
        if (change[(int)DateUnit.Year] != 0 || change[(int)DateUnit.Month] != 0)
        {
            (long y, long m, long d) = Date(days);
            long months = checked((y + change[(int)DateUnit.Year]) * 12 + m - 1 + change[(int)DateUnit.Month]);
            days = checked(Days(Math.DivRem(months - Modulo(months, 12), 12).Quotient, Modulo(months, 12) + 1, 1) + d - 1);
        }
        days = checked(days + change[(int)DateUnit.Day]);
        long seconds = checked(days * 86400 + hour * 3600 + minute * 60 + second);
        // What is only counted from now stays in now's summer or winter time.
        bool counted = dates == 0 && times == 0 && weekdays == 0;
        long offset = zones > 0 ? zone * 60 : counted ? (long)local.GetUtcOffset(DateTimeOffset.FromUnixTimeSeconds(now)).TotalSeconds : Offset(local, seconds);
        seconds = checked(seconds - offset);
        return checked(seconds + change[(int)DateUnit.Hour] * 3600 + change[(int)DateUnit.Minute] * 60 + change[(int)DateUnit.Second]);
    }

    private long Hour() => meridian switch
    {
        null when hour is >= 0 and < 24 => hour,
        { } half when hour is > 0 and < 12 => hour + half,
        { } half when hour == 12 => half,
        _ => throw new FormatException("No such hour"),
    };

    private static DateTime LocalFields(long seconds, TimeZoneInfo zone) => TimeZoneInfo.ConvertTime(DateTimeOffset.FromUnixTimeSeconds(seconds), zone).DateTime;

    // .NET's calendar ends with the year 9999; its zones' rules do before.
    private static DateTime? Representable(long localSeconds) => localSeconds is > -62135596800 and < 253402300800 ? DateTime.UnixEpoch.AddSeconds(localSeconds) : null;

    private static long Offset(TimeZoneInfo zone, long localSeconds)
    {
        DateTime at = Representable(localSeconds) ?? DateTime.MaxValue.AddDays(-1);
        return (long)zone.GetUtcOffset(DateTime.SpecifyKind(at, DateTimeKind.Unspecified)).TotalSeconds;
    }

    private static bool IsSkipped(TimeZoneInfo zone, long days, long seconds) =>
        Representable(days * 86400 + seconds) is { } at && zone.IsInvalidTime(DateTime.SpecifyKind(at, DateTimeKind.Unspecified));

    private static long Modulo(long value, long by) => (value % by + by) % by;

    private static int DaysIn(long year, long month) => month switch
    {
        2 => Modulo(year, 4) == 0 && (Modulo(year, 100) != 0 || Modulo(year, 400) == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    /// <summary>Days since 1970 in the Gregorian calendar, whose years may begin in March: then the day that leaps is the last.</summary>
    private static long Days(long year, long month, long day)
    {
        if (year is < -1_000_000_000 or > 1_000_000_000)
            throw new OverflowException();
        long y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;
        long era = (y - Modulo(y, 400)) / 400, inEra = y - era * 400;
        return era * 146097 + inEra * 365 + inEra / 4 - inEra / 100 + (153 * m + 2) / 5 + day - 1 - 719468;
    }

    private static (long Year, long Month, long Day) Date(long days)
    {
        days += 719468;
        long era = (days - Modulo(days, 146097)) / 146097, inEra = days - era * 146097;
        long year = (inEra - inEra / 1460 + inEra / 36524 - inEra / 146096) / 365;
        long inYear = inEra - (365 * year + year / 4 - year / 100), m = (5 * inYear + 2) / 153;
        long month = m < 10 ? m + 3 : m - 9;
        return (year + era * 400 + (month <= 2 ? 1 : 0), month, inYear - (153 * m + 2) / 5 + 1);
    }
}
