namespace OciOstree.Formats.GVariant;

public sealed partial class Variant
{
    /// <summary>The value in GVariant's text format, exactly as GLib's <c>g_variant_print</c> writes it.</summary>
    /// <param name="annotate">Whether types that the text alone does not tell are written, so that parsing gives the same type.</param>
    public string Print(bool annotate = true) => VariantPrinter.Print(this, annotate);

    public override string ToString() => Print();
}
