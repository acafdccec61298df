namespace OciOstree.Cli.Ostree;

/// <summary>A word or number of a date.</summary>
/// <param name="Fraction">Whether a fraction followed; it counts for nothing, but only seconds may have one.</param>
/// <param name="Unit">What a <see cref="DateTokenKind.Unit"/> counts, <see cref="Value"/> at a time.</param>
internal readonly record struct DateToken(DateTokenKind Kind, long Value, int Digits = 0, bool Fraction = false, bool Negative = false, DateUnit Unit = default)
{
    public bool Is(char sign) => Kind == DateTokenKind.Sign && Value == sign;
}
