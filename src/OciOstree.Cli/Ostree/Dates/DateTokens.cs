namespace OciOstree.Cli.Ostree;

/// <summary>Takes a date apart into its words and numbers.</summary>
internal static class DateTokens
{
    private const int MaxWord = 19;

    /// <exception cref="FormatException">A word is none of a date's.</exception>
    /// <exception cref="OverflowException">A number is too large.</exception>
    public static List<DateToken> Split(ReadOnlySpan<char> text)
    {
        var tokens = new List<DateToken>();
        for (int at = 0; at < text.Length;)
        {
            char c = text[at];
            if (IsBlank(c))
                at++;
            else if (char.IsAsciiDigit(c) || c is '-' or '+')
                at = Number(text, at, tokens);
            else if (char.IsAsciiLetter(c))
                at = Word(text, at, tokens);
            else if (c == '(')
                at = SkipComment(text, at);
            else
                tokens.Add(new DateToken(DateTokenKind.Sign, text[at++]));
        }
        return tokens;
    }

    private static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\v' or '\f' or '\r';

    private static int Number(ReadOnlySpan<char> text, int at, List<DateToken> tokens)
    {
        bool signed = !char.IsAsciiDigit(text[at]), negative = text[at] == '-';
        if (signed)
        {
            for (at++; at < text.Length && IsBlank(text[at]); at++)
            {
            }
            // A sign before anything else means nothing.
            if (at == text.Length || !char.IsAsciiDigit(text[at]))
                return at;
        }
        int start = at;
        long value = 0;
        for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
            value = checked(value * 10 + (negative ? '0' - text[at] : text[at] - '0'));
        int digits = at - start;
        bool fraction = at + 1 < text.Length && text[at] is '.' or ',' && at + 1 < text.Length && char.IsAsciiDigit(text[at + 1]);
        if (fraction)
        {
            bool any = false;
            for (at++; at < text.Length && char.IsAsciiDigit(text[at]); at++)
                any |= text[at] != '0';
            if (any && negative)
                value = checked(value - 1); // whole seconds, downwards
        }
        tokens.Add(new DateToken(signed ? DateTokenKind.Signed : DateTokenKind.Unsigned, value, digits, fraction, negative));
        return at;
    }

    private static int Word(ReadOnlySpan<char> text, int at, List<DateToken> tokens)
    {
        int start = at;
        while (at < text.Length && (char.IsAsciiLetter(text[at]) || text[at] == '.'))
            at++;
        string word = text[start..Math.Min(at, start + MaxWord)].ToString().ToLowerInvariant();
        tokens.Add(DateWords.Find(word) ?? throw new FormatException($"'{word}' is no word of a date"));
        return at;
    }

    private static int SkipComment(ReadOnlySpan<char> text, int at)
    {
        int depth = 0;
        for (; at < text.Length; at++)
        {
            if (text[at] == '(')
                depth++;
            else if (text[at] == ')' && --depth == 0)
                return at + 1;
        }
        return at;
    }
}
