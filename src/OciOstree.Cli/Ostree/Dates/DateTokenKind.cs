namespace OciOstree.Cli.Ostree;

/// <summary>What a word or number of a date is.</summary>
internal enum DateTokenKind
{
    End,

    /// <summary>A number without a sign; <see cref="DateToken.Digits"/> of it were written.</summary>
    Unsigned,
    Signed,
    Month,
    Day,

    /// <summary>An offset from UTC, in minutes.</summary>
    Zone,

    /// <summary>As <see cref="Zone"/>, an hour later for daylight saving.</summary>
    DaylightZone,

    /// <summary><c>dst</c> after a zone.</summary>
    DaylightSaving,

    /// <summary>0 for am, 12 for pm.</summary>
    Meridian,
    Unit,

    /// <summary><c>next</c>, <c>third</c>: how many of the unit or weekday that follows.</summary>
    Ordinal,

    /// <summary><c>tomorrow</c>: days from now.</summary>
    DayShift,

    /// <summary><c>ago</c>, <c>hence</c>: the sign of what came before.</summary>
    Direction,

    /// <summary><c>T</c>, which stands between an ISO date and its time, and for a zone.</summary>
    LetterT,

    /// <summary>A character that stands for itself.</summary>
    Sign,
}
