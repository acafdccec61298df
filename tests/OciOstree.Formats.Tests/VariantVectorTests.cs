using OciOstree.Formats.GVariant;

namespace OciOstree.Formats.Tests;

/// <summary>
/// Values of random types, a part of them damaged, with what GLib 2.74 makes of them: type, bytes, whether they are in normal
/// form, the two printed forms, the bytes of the normal form and of that with its numbers' bytes swapped. And texts with
/// what GLib parses them to, or its complaint after an exclamation mark. And keys put into a GVariantDict, with the order they come out in.
/// </summary>
public sealed class VariantVectorTests
{
    private static IEnumerable<string[]> Read(string name)
    {
        using Stream stream = typeof(VariantVectorTests).Assembly.GetManifestResourceStream("OciOstree.Formats.Tests.Vectors." + name)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
            yield return line.Split('\t');
    }

    [Fact]
    public void BytesMeanWhatTheyMeanToGlib()
    {
        int count = 0;
        foreach (string[] row in Read("variants.tsv"))
        {
            count++;
            Variant value = Variant.FromBytes(row[0], Convert.FromHexString(row[1]));
            string at = $"line {count}: {row[0]} {row[1]}\n";
            Assert.Equal(at + row[3], at + value.Print());
            Assert.Equal(at + row[4], at + value.Print(annotate: false));
            Assert.Equal(at + row[2], at + (value.IsNormalForm() ? "1" : "0"));
            Assert.Equal(at + row[5], at + Convert.ToHexStringLower(value.Normalize().Data.Span));
            Assert.Equal(at + row[6], at + Convert.ToHexStringLower(value.ByteSwap().Data.Span));
        }
        Assert.True(count > 100);
    }

    [Fact]
    public void TextsMeanWhatTheyMeanToGlib()
    {
        var differences = new List<string>();
        int count = 0;
        foreach (string[] row in Read("variant-texts.tsv"))
        {
            count++;
            string text = row[1].Replace("\\\\", "\\", StringComparison.Ordinal);
            string expected = $"{row[2]} {row[3]}";
            string actual;
            try
            {
                Variant value = Variant.Parse(text, row[0].Length == 0 ? null : row[0]);
                actual = $"{value.Type} {Convert.ToHexStringLower(value.Data.Span)}";
            }
            catch (VariantException e)
            {
                actual = $"! {e.Message}";
            }
            if (actual != expected)
                differences.Add($"{row[0]} {text}: {actual} instead of {expected}");
        }
        Assert.True(count > 100);
        Assert.True(differences.Count == 0, string.Join("\n", differences));
    }

    [Fact]
    public void DictionariesHaveTheOrderOfGlibs()
    {
        foreach (string[] row in Read("dictionary-orders.tsv"))
        {
            var dictionary = new VariantDictionary();
            foreach (string key in row[0].Split(';', StringSplitOptions.RemoveEmptyEntries))
                dictionary[key] = Variant.Boolean(true);
            Assert.Equal(row[1], string.Join(';', dictionary.ToVariant().Children.Select(e => e[0].AsString())));
        }
    }
}
