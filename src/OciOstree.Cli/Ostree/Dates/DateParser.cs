namespace OciOstree.Cli.Ostree;

/// <summary>
/// Reads a date as GNU's parse_datetime does: parts in any order, of each kind (date, time, zone, weekday) at most one, then any number of changes
/// (<c>2 weeks ago</c>) to it. What is not said is now's, or midnight where a day is.
/// </summary>
internal sealed partial class DateParser
{
    private static readonly char[] Blanks = [' ', '\t', '\n', '\v', '\f', '\r'];

    private readonly List<DateToken> tokens;
    private int position;

    private int dates, times, zones, weekdays, changes;
    private long year, month, day, hour, minute, second;
    private int yearDigits;
    private long? meridian;
    private long zone, weekday, weekdayOrdinal;
    private readonly long[] change = new long[6]; // by DateUnit

    private DateParser(List<DateToken> tokens) => this.tokens = tokens;

    private DateToken Next => Peek(0);

    /// <param name="now">Seconds since 1970.</param>
    /// <param name="local">The zone of a date that names none.</param>
    /// <returns>Seconds since 1970.</returns>
    /// <exception cref="FormatException">It is no date.</exception>
    /// <exception cref="OverflowException">A number is too large.</exception>
    public static long Parse(string text, long now, TimeZoneInfo local)
    {
        string rest = text.TrimStart(Blanks);
        if (rest.StartsWith("TZ=\"", StringComparison.Ordinal))
        {
            int end = rest.IndexOf('"', 4);
            if (end < 0)
                throw new FormatException("The zone has no end");
            local = ZoneNamed(rest[4..end]);
            rest = rest[(end + 1)..].TrimStart(Blanks);
        }
        if (rest.StartsWith('@'))
        {
            List<DateToken> stamp = DateTokens.Split(rest.AsSpan(1));
            return stamp is [{ Kind: DateTokenKind.Signed or DateTokenKind.Unsigned } seconds] ? seconds.Value : throw new FormatException("No number of seconds");
        }
        // As for date(1), nothing means today, from its start.
        DateParser parser = new(DateTokens.Split(rest.Length == 0 ? "0" : rest));
        parser.StartFrom(LocalFields(now, local));
        while (parser.Next.Kind != DateTokenKind.End)
            parser.Item();
        return parser.Resolve(local, now);
    }

    // As in libc, a zone that nobody knows is UTC; but a rule ("EST5EDT,M3.2.0,M11.1.0") that is not known here is not taken for it.
    private static TimeZoneInfo ZoneNamed(string name) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(name.TrimStart(':'), out TimeZoneInfo? found) ? found
        : name.All(static c => char.IsAsciiLetter(c) || c is '/' or '_' or ':') ? TimeZoneInfo.Utc
        : throw new FormatException("A rule instead of a zone's name");

    private DateToken Peek(int ahead) => position + ahead < tokens.Count ? tokens[position + ahead] : default;

    private DateToken Take() => tokens[position++];

    private bool Accept(char sign)
    {
        if (!Next.Is(sign))
            return false;
        position++;
        return true;
    }

    private DateToken Expect(DateTokenKind kind) => Next.Kind == kind ? Take() : throw new FormatException("Something else belongs there");

    private void StartFrom(DateTime fields) => (year, yearDigits, month, day, hour, minute, second) = (fields.Year, 0, fields.Month, fields.Day, fields.Hour, fields.Minute, fields.Second);

    private void Item()
    {
        DateToken token = Take();
        switch (token.Kind)
        {
            case DateTokenKind.Unsigned when token.Fraction:
                Change(1, token.Value, RequireSeconds());
                break;
            case DateTokenKind.Signed when token.Fraction:
                Change(1, token.Value, RequireSeconds());
                break;
            case DateTokenKind.Unsigned:
                AfterNumber(token);
                break;
            case DateTokenKind.Signed:
                Change(1, token.Value, Expect(DateTokenKind.Unit));
                break;
            case DateTokenKind.Unit:
                Change(1, 1, token);
                break;
            case DateTokenKind.Month:
                AfterMonth(token.Value);
                break;
            case DateTokenKind.Day:
                (weekday, weekdayOrdinal) = (token.Value, 0);
                weekdays++;
                Accept(',');
                break;
            case DateTokenKind.Ordinal when Next.Kind == DateTokenKind.Day:
                (weekday, weekdayOrdinal) = (Take().Value, token.Value);
                weekdays++;
                break;
            case DateTokenKind.Ordinal:
                Change(1, token.Value, Expect(DateTokenKind.Unit));
                break;
            case DateTokenKind.DayShift:
                change[(int)DateUnit.Day] = checked(change[(int)DateUnit.Day] + token.Value);
                changes++;
                break;
            case DateTokenKind.LetterT:
                Zone(7 * 60);
                break;
            case DateTokenKind.Zone:
                Zone(token.Value);
                break;
            case DateTokenKind.DaylightZone:
                zone = token.Value + 60;
                zones++;
                break;
            default:
                throw new FormatException("Something else belongs there");
        }
    }

    private DateToken RequireSeconds() => Expect(DateTokenKind.Unit) is { Unit: DateUnit.Second } seconds ? seconds : throw new FormatException("Only seconds have fractions");

    private void AfterNumber(DateToken number)
    {
        DateToken next = Next;
        switch (next.Kind)
        {
            case DateTokenKind.Meridian:
                SetTime(number.Value, 0, 0, Take().Value);
                break;
            case DateTokenKind.Sign when next.Value == ':':
                Clock(number.Value);
                break;
            case DateTokenKind.Sign when next.Value == '/':
                Slashes(number);
                break;
            case DateTokenKind.Month:
                DayAndMonth(number.Value, Take().Value);
                break;
            case DateTokenKind.Day:
                (weekday, weekdayOrdinal) = (Take().Value, number.Value);
                weekdays++;
                break;
            case DateTokenKind.Unit:
                Change(1, number.Value, Take());
                break;
            case DateTokenKind.Signed when next.Fraction:
                Digits(number);
                break;
            case DateTokenKind.Signed when Peek(1).Kind == DateTokenKind.Signed && !Peek(1).Fraction:
                // 1985-10-25
                SetDate(number.Value, number.Digits, -Take().Value, -Take().Value);
                if (Next.Kind == DateTokenKind.LetterT)
                    IsoTime();
                break;
            case DateTokenKind.Signed when Peek(1).Kind == DateTokenKind.Unit:
                Digits(number);
                Change(1, Take().Value, Take());
                break;
            case DateTokenKind.Signed:
                // Only hours: 10+01
                SetTime(number.Value, 0, 0, null);
                ZoneOffset(0);
                break;
            default:
                Digits(number);
                break;
        }
    }

    // The T and what follows it.
    private void IsoTime()
    {
        Take();
        DateToken first = Expect(DateTokenKind.Unsigned);
        if (first.Fraction)
            throw new FormatException("Only seconds have fractions");
        if (Next.Is(':'))
        {
            Clock(first.Value, mayHaveMeridian: false);
        }
        else
        {
            SetTime(first.Value, 0, 0, null);
            if (Next is { Kind: DateTokenKind.Signed, Fraction: false })
                ZoneOffset(0);
        }
    }

    private void Clock(long hours, bool mayHaveMeridian = true)
    {
        Take();
        DateToken minutes = Expect(DateTokenKind.Unsigned);
        if (minutes.Fraction)
            throw new FormatException("Only seconds have fractions");
        long seconds = Accept(':') ? Expect(DateTokenKind.Unsigned).Value : 0;
        SetTime(hours, minutes.Value, seconds, mayHaveMeridian && Next.Kind == DateTokenKind.Meridian ? Take().Value : null);
        if (meridian is null && Next is { Kind: DateTokenKind.Signed, Fraction: false })
            ZoneOffset(0);
    }

    // 10/25/1985, 1985/10/25 or 10/25
    private void Slashes(DateToken first)
    {
        Take();
        DateToken second = Expect(DateTokenKind.Unsigned);
        if (!Accept('/'))
        {
            (month, day) = (first.Value, second.Value);
            dates++;
            return;
        }
        DateToken third = Expect(DateTokenKind.Unsigned);
        if (first.Digits >= 4)
            SetDate(first.Value, first.Digits, second.Value, third.Value);
        else
            SetDate(third.Value, third.Digits, first.Value, second.Value);
    }

    // 25 October, 25 Oct 1985, 25-OCT-1985: each but the last number begins with the sign that joins it.
    private void DayAndMonth(long first, long month)
    {
        if (Next is { Kind: DateTokenKind.Signed, Fraction: false } && Peek(1).Kind != DateTokenKind.Unit)
        {
            DateToken year = Take();
            SetDate(checked(-year.Value), year.Digits, month, first);
        }
        else if (Next is { Kind: DateTokenKind.Unsigned, Fraction: false })
        {
            // Whatever comes after it: "25 oct 10:00" is none.
            DateToken year = Take();
            SetDate(year.Value, year.Digits, month, first);
        }
        else
        {
            (day, this.month) = (first, month);
            dates++;
        }
    }

    // Oct 25, October 25, 1985, Oct-25-1985
    private void AfterMonth(long month)
    {
        if (Next is { Kind: DateTokenKind.Signed, Fraction: false })
        {
            long day = checked(-Take().Value);
            DateToken year = Expect(DateTokenKind.Signed);
            SetDate(checked(-year.Value), year.Digits, month, day);
            return;
        }
        DateToken number = Expect(DateTokenKind.Unsigned);
        (this.month, day) = (month, number.Value);
        if (Accept(','))
        {
            DateToken year = Expect(DateTokenKind.Unsigned);
            SetDate(year.Value, year.Digits, month, number.Value);
            return;
        }
        dates++;
    }

    private void SetDate(long year, int digits, long month, long day)
    {
        (this.year, yearDigits, this.month, this.day) = (year, digits, month, day);
        dates++;
    }

    private void SetTime(long hours, long minutes, long seconds, long? half)
    {
        (hour, minute, second, meridian) = (hours, minutes, seconds, half);
        times++;
    }

    // A number on its own is a year after a date, a date of six digits or more, or a time.
    private void Digits(DateToken number)
    {
        if (dates > 0 && yearDigits == 0 && changes == 0 && (times > 0 || number.Digits > 2))
            (year, yearDigits) = (number.Value, number.Digits);
        else if (number.Digits > 4)
            SetDate(number.Value / 10000, number.Digits - 4, number.Value / 100 % 100, number.Value % 100);
        else if (number.Digits <= 2)
            SetTime(number.Value, 0, 0, null);
        else
            SetTime(number.Value / 100, number.Value % 100, 0, null);
    }

    private void Zone(long minutes)
    {
        zone = minutes;
        if (Next.Kind == DateTokenKind.DaylightSaving)
        {
            Take();
            zone += 60;
            zones++;
        }
        else if (Next is { Kind: DateTokenKind.Signed, Fraction: false } && Peek(1).Kind != DateTokenKind.Unit)
        {
            ZoneOffset(minutes);
        }
        else
        {
            zones++;
        }
    }

    // +5, +530, +05:30
    private void ZoneOffset(long from)
    {
        DateToken offset = Take();
        long hours = offset.Value, minutes;
        if (Accept(':'))
        {
            DateToken part = Expect(DateTokenKind.Unsigned);
            minutes = checked(hours * 60 + (offset.Negative ? -part.Value : part.Value));
        }
        else
        {
            hours = offset.Digits <= 2 ? hours * 100 : hours;
            minutes = hours / 100 * 60 + hours % 100;
        }
        if (minutes is < -24 * 60 or > 24 * 60)
            throw new FormatException("No zone is so far away");
        zone = from + minutes;
        zones++;
    }

    private void Change(int sign, long count, DateToken unit)
    {
        if (Next.Kind == DateTokenKind.Direction)
            sign *= (int)Take().Value;
        ref long sum = ref change[(int)unit.Unit];
        sum = checked(sum + sign * count * unit.Value);
        changes++;
    }
}
