namespace OciOstree.Formats.GVariant;

public sealed partial class Variant
{
    /// <summary>The value in GVariant's text format, exactly as GLib's <c>g_variant_print</c> writes it.</summary>
    /// <param name="annotate">Whether types that the text alone does not tell are written, so that parsing gives the same type.</param>
    public string Print(bool annotate = true) => VariantPrinter.Print(this, annotate);

    /// <summary>Reads GVariant's text format, as GLib's <c>g_variant_parse</c> does.</summary>
    /// <param name="text">For example <c>{'version': &lt;'1'&gt;}</c> or <c>uint32 5</c>.</param>
    /// <param name="type">The type that the value has to have, or null to take the one that the text tells.</param>
    /// <exception cref="VariantException">The text is not one value, or not of that type; the message starts with where.</exception>
    public static Variant Parse(string text, string? type = null) => VariantParser.Parse(text, type);

    public override string ToString() => Print();
}
