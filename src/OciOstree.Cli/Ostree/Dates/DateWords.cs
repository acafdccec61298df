namespace OciOstree.Cli.Ostree;

/// <summary>The words of a date. Months and weekdays may be cut to three letters, all but names may be plural.</summary>
internal static class DateWords
{
    private static readonly string[] Months = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    private static readonly string[] Days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

    // In minutes east of UTC. Letters are the armed forces', with the sign that ostree gives them.
    private static readonly Dictionary<string, int> Zones = new(StringComparer.Ordinal)
    {
        ["gmt"] = 0,
        ["ut"] = 0,
        ["utc"] = 0,
        ["wet"] = 0,
        ["z"] = 0,
        ["art"] = -180,
        ["brt"] = -180,
        ["nst"] = -210,
        ["ast"] = -240,
        ["clt"] = -240,
        ["est"] = -300,
        ["cst"] = -360,
        ["mst"] = -420,
        ["pst"] = -480,
        ["akst"] = -540,
        ["hst"] = -600,
        ["hast"] = -600,
        ["sst"] = -720,
        ["wat"] = 60,
        ["cet"] = 60,
        ["met"] = 60,
        ["mez"] = 60,
        ["eet"] = 120,
        ["cat"] = 120,
        ["sast"] = 120,
        ["eat"] = 180,
        ["msk"] = 180,
        ["ist"] = 330,
        ["sgt"] = 480,
        ["kst"] = 540,
        ["jst"] = 540,
        ["gst"] = 600,
        ["nzst"] = 720,
        ["a"] = -60,
        ["b"] = -120,
        ["c"] = -180,
        ["d"] = -240,
        ["e"] = -300,
        ["f"] = -360,
        ["g"] = -420,
        ["h"] = -480,
        ["i"] = -540,
        ["k"] = -600,
        ["l"] = -660,
        ["m"] = -720,
        ["n"] = 60,
        ["o"] = 120,
        ["p"] = 180,
        ["q"] = 240,
        ["r"] = 300,
        ["s"] = 360,
        ["u"] = 480,
        ["v"] = 540,
        ["w"] = 600,
        ["x"] = 660,
        ["y"] = 720,
    };

    // Their standard time: a daylight saving zone is an hour before it.
    private static readonly Dictionary<string, int> DaylightZones = new(StringComparer.Ordinal)
    {
        ["west"] = 0,
        ["bst"] = 0,
        ["brst"] = -180,
        ["ndt"] = -210,
        ["adt"] = -240,
        ["clst"] = -240,
        ["edt"] = -300,
        ["cdt"] = -360,
        ["mdt"] = -420,
        ["pdt"] = -480,
        ["akdt"] = -540,
        ["hadt"] = -600,
        ["cest"] = 60,
        ["mest"] = 60,
        ["mesz"] = 60,
        ["eest"] = 120,
        ["msd"] = 180,
        ["nzdt"] = 720,
    };

    private static readonly Dictionary<string, (DateUnit Unit, int Count)> Units = new(StringComparer.Ordinal)
    {
        ["year"] = (DateUnit.Year, 1),
        ["month"] = (DateUnit.Month, 1),
        ["fortnight"] = (DateUnit.Day, 14),
        ["week"] = (DateUnit.Day, 7),
        ["day"] = (DateUnit.Day, 1),
        ["hour"] = (DateUnit.Hour, 1),
        ["minute"] = (DateUnit.Minute, 1),
        ["min"] = (DateUnit.Minute, 1),
        ["second"] = (DateUnit.Second, 1),
        ["sec"] = (DateUnit.Second, 1),
    };

    // "second" is a unit.
    private static readonly Dictionary<string, (DateTokenKind Kind, int Value)> Others = new(StringComparer.Ordinal)
    {
        ["tomorrow"] = (DateTokenKind.DayShift, 1),
        ["yesterday"] = (DateTokenKind.DayShift, -1),
        ["today"] = (DateTokenKind.DayShift, 0),
        ["now"] = (DateTokenKind.DayShift, 0),
        ["last"] = (DateTokenKind.Ordinal, -1),
        ["this"] = (DateTokenKind.Ordinal, 0),
        ["next"] = (DateTokenKind.Ordinal, 1),
        ["first"] = (DateTokenKind.Ordinal, 1),
        ["third"] = (DateTokenKind.Ordinal, 3),
        ["fourth"] = (DateTokenKind.Ordinal, 4),
        ["fifth"] = (DateTokenKind.Ordinal, 5),
        ["sixth"] = (DateTokenKind.Ordinal, 6),
        ["seventh"] = (DateTokenKind.Ordinal, 7),
        ["eighth"] = (DateTokenKind.Ordinal, 8),
        ["ninth"] = (DateTokenKind.Ordinal, 9),
        ["tenth"] = (DateTokenKind.Ordinal, 10),
        ["eleventh"] = (DateTokenKind.Ordinal, 11),
        ["twelfth"] = (DateTokenKind.Ordinal, 12),
        ["ago"] = (DateTokenKind.Direction, -1),
        ["hence"] = (DateTokenKind.Direction, 1),
        ["am"] = (DateTokenKind.Meridian, 0),
        ["a.m."] = (DateTokenKind.Meridian, 0),
        ["pm"] = (DateTokenKind.Meridian, 12),
        ["p.m."] = (DateTokenKind.Meridian, 12),
        ["dst"] = (DateTokenKind.DaylightSaving, 0),
        ["t"] = (DateTokenKind.LetterT, 0),
        ["sept"] = (DateTokenKind.Month, 9),
        ["tues"] = (DateTokenKind.Day, 2),
        ["wednes"] = (DateTokenKind.Day, 3),
        ["thur"] = (DateTokenKind.Day, 4),
        ["thurs"] = (DateTokenKind.Day, 4),
    };

    /// <param name="word">Letters and periods, in lower case.</param>
    public static DateToken? Find(string word)
    {
        if (word is "am" or "a.m." or "pm" or "p.m.")
            return new DateToken(Others[word].Kind, Others[word].Value);
        if (Name(Months, word) is { } month)
            return new DateToken(DateTokenKind.Month, month + 1);
        if (Name(Days, word) is { } day)
            return new DateToken(DateTokenKind.Day, day);
        return Plain(word) ?? (word.Contains('.', StringComparison.Ordinal) ? Plain(word.Replace(".", "", StringComparison.Ordinal)) : null);
    }

    private static DateToken? Plain(string word)
    {
        if (word.Length > 1 && Zone(word) is { } zone)
            return zone;
        if (Others.TryGetValue(word, out (DateTokenKind Kind, int Value) other))
            return new DateToken(other.Kind, other.Value);
        if (Units.TryGetValue(word, out (DateUnit Unit, int Count) unit) || word.EndsWith('s') && Units.TryGetValue(word[..^1], out unit))
            return new DateToken(DateTokenKind.Unit, unit.Count, Unit: unit.Unit);
        return Zone(word);
    }

    private static DateToken? Zone(string word) =>
        Zones.TryGetValue(word, out int minutes) ? new DateToken(DateTokenKind.Zone, minutes)
        : DaylightZones.TryGetValue(word, out minutes) ? new DateToken(DateTokenKind.DaylightZone, minutes)
        : null;

    private static int? Name(string[] names, string word)
    {
        bool cut = word.Length == 3 || word.Length == 4 && word[3] == '.';
        for (int i = 0; i < names.Length; i++)
            if (names[i] == word || cut && names[i].StartsWith(word[..3], StringComparison.Ordinal))
                return i;
        return null;
    }
}
