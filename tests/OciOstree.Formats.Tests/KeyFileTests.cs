using OciOstree.Formats.Keyfile;

namespace OciOstree.Formats.Tests;

// The expected texts were written by GLib 2.74's GKeyFile.
public sealed class KeyFileTests
{
    [Theory]
    [InlineData(" a b", @"\sa b", @"\sa b;\s;\sa\;b;;")]
    [InlineData(" \t x\ty ", "\\s\\t\\sx\ty ", "\\s\\t\\sx\ty ;\\s;\\sa\\;b;;")]
    [InlineData("a\n b", @"a\n b", @"a\n b;\s;\sa\;b;;")]
    [InlineData("a\r b", @"a\r b", @"a\r b;\s;\sa\;b;;")]
    [InlineData(@"\ \", @"\\ \\", @"\\ \\;\s;\sa\;b;;")]
    [InlineData("\n x", @"\n\sx", @"\n\sx;\s;\sa\;b;;")]
    [InlineData("; ;", "; ;", @"\;\s\;;\s;\sa\;b;;")]
    [InlineData(@";\;", @";\\;", @"\;\\\;;\s;\sa\;b;;")]
    [InlineData("é ü", "é ü", @"é ü;\s;\sa\;b;;")]
    [InlineData("", "", @";\s;\sa\;b;;")]
    public void ValuesAreEscapedAsGlibDoes(string value, string asString, string asList)
    {
        var file = new KeyFile();
        file.SetString("g", "s", value);
        string[] list = [value, " ", " a;b", ""];
        file.SetStringList("g", "l", list);
        Assert.Equal(asString, file.GetValue("g", "s"));
        Assert.Equal(asList, file.GetValue("g", "l"));
        KeyFile read = KeyFile.Parse(file.Serialize());
        Assert.Equal(value, read.GetString("g", "s"));
        Assert.Equal(list, read.GetStringList("g", "l"));
    }

    [Theory]
    [InlineData("a;b", "a|b")]
    [InlineData("a;b;", "a|b")]
    [InlineData("a;;b", "a||b")]
    [InlineData("a\\;b;c", "a;b|c")]
    [InlineData("\\s;x", " |x")]
    [InlineData(" a; b", " a| b")]
    public void ListsAreSplit(string raw, string items)
    {
        var file = new KeyFile();
        file.SetValue("g", "l", raw);
        Assert.Equal(items.Split('|'), file.GetStringList("g", "l"));
    }

    [Fact]
    public void EmptyListsAreEmptyAndMissingOnesNull()
    {
        KeyFile file = KeyFile.Parse("[g]\nempty=\none=;\n");
        Assert.Equal([], file.GetStringList("g", "empty")!);
        Assert.Equal([""], file.GetStringList("g", "one")!);
        Assert.Null(file.GetStringList("g", "none"));
        Assert.Null(file.GetString("none", "none"));
        Assert.Null(file.GetBoolean("g", "none"));
    }

    [Theory]
    [InlineData("# top\n\n[a]\nx=1\n\n# c\n[b]\ny=2\n[a]\nz = 3  \nx=9\n", "[a]\nx=1\nz=3  \nx=9\n\n[b]\ny=2\n", "# top\n\n[a]\nx=1\n\n# c\nz=3  \nx=9\n\n[b]\ny=2\n")]
    [InlineData("[a] \n k = v\n", "[a]\nk=v\n", "[a]\nk=v\n")]
    [InlineData("[a]\r\nx=1\r\n", "[a]\nx=1\n", "[a]\nx=1\n")]
    [InlineData("\n\n[a]\nx=1\n\n\n\n[b]\n", "[a]\nx=1\n\n[b]\n", "\n\n[a]\nx=1\n\n\n\n[b]\n")]
    [InlineData("[a]\na b=1\nä=2\nk[]=x\n", "[a]\na b=1\nä=2\nk[]=x\n", "[a]\na b=1\nä=2\nk[]=x\n")]
    [InlineData("[a]\nx=1", "[a]\nx=1\n", "[a]\nx=1\n")]
    public void FilesAreRewrittenAsGlibDoes(string text, string bare, string commented)
    {
        Assert.Equal(bare, KeyFile.Parse(text, keepComments: false).ToString());
        Assert.Equal(commented, KeyFile.Parse(text).ToString());
    }

    [Theory]
    [InlineData("a=b\n", "Key file does not start with a group")]
    [InlineData("[a\n", "Key file contains line “[a” which is not a key-value pair, group, or comment")]
    [InlineData("[a]x\n", "Key file contains line “[a]x” which is not a key-value pair, group, or comment")]
    [InlineData("[a]\n=x\n", "Key file contains line “=x” which is not a key-value pair, group, or comment")]
    [InlineData("[a]\n k [de]=x\n", "Invalid key name: k [de]")]
    [InlineData("[a]\nk[d e]=x\n", "Invalid key name: k[d e]")]
    [InlineData("[a]\nk[a]b=x\n", "Invalid key name: k[a]b")]
    [InlineData("[]\n", "Invalid group name: ")]
    [InlineData("[a\tb]\n", "Invalid group name: a\tb")]
    public void WhatIsNoKeyfileIsRefusedInGlibsWords(string text, string message) =>
        Assert.Equal(message, Assert.Throws<KeyfileException>(() => KeyFile.Parse(text)).Message);

    [Fact]
    public void TheLastOfARepeatedKeyCounts()
    {
        KeyFile file = KeyFile.Parse("[a]\nx=1\n[b]\n[a]\nx=2\n");
        Assert.Equal("2", file.GetString("a", "x"));
        Assert.Equal(["a", "b"], file.Groups);
        Assert.True(file.RemoveKey("a", "x"));
        Assert.Null(file.GetString("a", "x"));
        Assert.False(file.RemoveKey("a", "x"));
    }

    [Fact]
    public void ANewKeyGoesBehindTheGroupsLastOne()
    {
        KeyFile file = KeyFile.Parse("[core]\nmode=bare\n\n# about the remote\n[remote \"o\"]\nurl=x\n");
        file.SetBoolean("core", "fsync", false);
        file.SetInteger("remote \"o\"", "n", -3);
        Assert.Equal("[core]\nmode=bare\nfsync=false\n\n# about the remote\n[remote \"o\"]\nurl=x\nn=-3\n", file.ToString());
        KeyFile copy = file.Clone();
        Assert.True(file.RemoveGroup("remote \"o\""));
        Assert.Equal("[core]\nmode=bare\nfsync=false\n\n# about the remote\n", file.ToString());
        Assert.Equal(-3, copy.GetInt32("remote \"o\"", "n"));
    }

    [Fact]
    public void RemovingTheLastGroupRemovesTheBlankLineBeforeIt()
    {
        KeyFile file = KeyFile.Parse("[core]\nmode=bare\n\n[remote \"o\"]\nurl=x\n");
        Assert.True(file.RemoveGroup("remote \"o\""));
        Assert.False(file.RemoveGroup("remote \"o\""));
        Assert.Equal("[core]\nmode=bare\n", file.ToString());
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("1", true)]
    [InlineData("false \t", false)]
    [InlineData("0", false)]
    public void Booleans(string raw, bool value) => Assert.Equal(value, KeyFile.Parse($"[a]\nx={raw}\n").GetBoolean("a", "x"));

    [Theory]
    [InlineData("tru")]
    [InlineData("TRUE")]
    [InlineData("")]
    public void WrongBooleansAreErrors(string raw) =>
        Assert.Throws<KeyfileException>(() => KeyFile.Parse($"[a]\nx={raw}\n").GetBoolean("a", "x"));

    [Theory]
    [InlineData("a\\")]
    [InlineData("a\\q")]
    [InlineData("a\\;b")]
    public void WrongEscapesAreErrors(string raw) =>
        Assert.Equal("Key file contains key “x” which has a value that cannot be interpreted.",
            Assert.Throws<KeyfileException>(() => KeyFile.Parse($"[a]\nx={raw}\n").GetString("a", "x")).Message);

    [Fact]
    public void TranslationsFallBackFromTerritoryToLanguageToNone()
    {
        KeyFile file = KeyFile.Parse("[a]\nx=1\nx[de]=2\nx[sr@Latn]=3\nx[pt_BR]=4\n");
        Assert.Equal("2", file.GetLocaleString("a", "x", "de_AT.UTF-8"));
        Assert.Equal("3", file.GetLocaleString("a", "x", "sr_RS@Latn"));
        Assert.Equal("4", file.GetLocaleString("a", "x", "pt_BR"));
        Assert.Equal("1", file.GetLocaleString("a", "x", "fr"));
    }

    [Fact]
    public void BytesThatAreNotUtf8SurviveButAreNoString()
    {
        byte[] bytes = [.. "# caf"u8, 0xe9, .. "\n[a]\nx=caf"u8, 0xe9, .. "\n"u8];
        KeyFile file = KeyFile.Parse(bytes);
        Assert.Equal(bytes, file.Serialize());
        Assert.Throws<KeyfileException>(() => file.GetString("a", "x"));
    }

    [Fact]
    public void ValuesCannotSmuggleLines()
    {
        var file = new KeyFile();
        Assert.Throws<KeyfileException>(() => file.SetValue("a", "x", "1\n[b]"));
        Assert.Throws<KeyfileException>(() => file.SetValue("a]\n[b", "x", "1"));
        Assert.Throws<KeyfileException>(() => file.SetValue("a", "x=y", "1"));
    }

    [Fact]
    public void RandomBytesGiveAKeyfileOrAKeyfileException()
    {
        var random = new Random(7);
        string[] pieces = ["[", "]", "=", "\n", "\r\n", "a", " ", "\\", "#", ";", "\u00e4", "\t"];
        for (int i = 0; i < 20000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(20)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                KeyFile file = KeyFile.Parse(text);
                Assert.Equal(file.ToString(), KeyFile.Parse(file.ToString()).ToString());
            }
            catch (KeyfileException)
            {
                // As good an outcome.
            }
        }
    }
}
