using OciOstree.Formats.Toml;

namespace OciOstree.Formats.Tests;

public class TomlTests
{
    [Fact]
    public void Reads_the_values_of_the_specification()
    {
        var root = TomlTable.Parse("""
            # comment
            text = "a\tb\u00e9\"" # after
            literal = 'C:\dir'
            "quoted key" = 1_000
            a.b.c = 0xff
            octal = 0o755
            binary = 0b101
            float = 6.5e-1
            negative = -3
            flag = true
            list = [ 1, "two", [3], # comment
              { x = 1, y.z = 2 }, ]
            many = '''
            first
            second'''
            """ + "\nfolded = \"\"\"one \\\n   two\"\"\"\nquotes = \"\"\"\"a\"\"\"\"\n");
        Assert.Equal("a\tbé\"", root.Get<string>("text"));
        Assert.Equal("C:\\dir", root.Get<string>("literal"));
        Assert.Equal(1000L, root.Values["quoted key"]);
        Assert.Equal(255L, root.Get<TomlTable>("a")!.Get<TomlTable>("b")!.Values["c"]);
        Assert.Equal(493L, root.Values["octal"]);
        Assert.Equal(5L, root.Values["binary"]);
        Assert.Equal(0.65, root.Values["float"]);
        Assert.Equal(-3L, root.Values["negative"]);
        Assert.True(root.GetBoolean("flag"));
        Assert.Equal(4, root.Get<List<object>>("list")!.Count);
        Assert.Equal(2L, root.GetTables("list").Single().Get<TomlTable>("y")!.Values["z"]);
        Assert.Equal("first\nsecond", root.Get<string>("many"));
        Assert.Equal("one two", root.Get<string>("folded"));
        Assert.Equal("\"a\"", root.Get<string>("quotes"));
    }

    [Fact]
    public void Arrays_of_tables_nest()
    {
        var root = TomlTable.Parse("[[r]]\nn=1\n[[r.m]]\nl='a'\n[[r.m]]\nl='b'\n[[r]]\nn=2\n[x.y]\nz=1\n[x]\nw=2\n");
        var tables = root.GetTables("r").ToList();
        Assert.Equal(2, tables.Count);
        Assert.Equal(["a", "b"], tables[0].GetTables("m").Select(m => m.Get<string>("l")!));
        Assert.Empty(tables[1].GetTables("m"));
        Assert.Equal(2L, root.Get<TomlTable>("x")!.Values["w"]);
    }

    [Theory]
    [InlineData("a", 1)]
    [InlineData("a =", 1)]
    [InlineData("a = 1 b = 2", 1)]
    [InlineData("\n\na = 1\na = 2", 4)]
    [InlineData("a = \"x", 1)]
    [InlineData("a = \"x\ny\"", 1)]
    [InlineData("a = \"\\q\"", 1)]
    [InlineData("a = \"\\ud800\"", 1)]
    [InlineData("a = [1, 2", 1)]
    [InlineData("a = {b = 1", 1)]
    [InlineData("[a]\n[a]", 2)]
    [InlineData("[[a]]\n[a]", 2)]
    [InlineData("a = 1\n[a.b]", 2)]
    [InlineData("[a", 1)]
    [InlineData("= 1", 1)]
    [InlineData("a = 1979-05-27", 1)]
    public void Says_on_which_line_it_is_wrong(string text, int line) =>
        Assert.StartsWith($"line {line}:", Assert.Throws<TomlException>(() => TomlTable.Parse(text)).Message);

    [Fact]
    public void Nesting_is_bounded() => Assert.Throws<TomlException>(() => TomlTable.Parse("a = " + new string('[', 100_000)));

    [Fact]
    public void No_truncation_of_a_document_is_more_than_an_error()
    {
        const string Text = "[[r]]\nname = \"a\\u00e9\"\nlist = [1, {x = '''y'''}]\n[r.t]\nv = 0x1F\n";
        for (var length = 0; length < Text.Length; length++)
        {
            try
            {
                TomlTable.Parse(Text[..length]);
            }
            catch (TomlException e)
            {
                Assert.StartsWith("line ", e.Message);
            }
        }
    }
}
