using System.Text;
using OciOstree.Formats.Yaml;

namespace OciOstree.Formats.Tests;

public sealed class YamlTests
{
    private static YamlMapping Parse(string text) => YamlMapping.Parse(Encoding.UTF8.GetBytes(text));

    private static string Show(object value) => value switch
    {
        YamlMapping mapping => "{" + string.Join(",", mapping.Values.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={Show(pair.Value)}")) + "}",
        YamlScalar { IsNull: true } => "null",
        YamlScalar scalar => scalar.AsBoolean() is { } flag ? $"<{flag}>" : scalar.Text,
        _ => "?",
    };

    [Theory]
    [InlineData("", "{}")]
    [InlineData("# nothing\n\n", "{}")]
    [InlineData("a: b", "{a=b}")]
    [InlineData("\uFEFF---\na: b\n...\n", "{a=b}")]
    [InlineData("a: b\r\nc: d\r\n", "{a=b,c=d}")]
    [InlineData("a:\n  b:\n    c: d\n  e: f\ng:\n", "{a={b={c=d},e=f},g=null}")]
    [InlineData("a:   # comment\n   b: c # comment\n# x\n   d: e#f\n", "{a={b=c,d=e#f}}")]
    [InlineData("host:5000/ns: file:///x:y\n", "{host:5000/ns=file:///x:y}")]
    [InlineData("'*.example.com': {use: true, \"x\": 'it''s', y: }\n", "{*.example.com={use=<True>,x=it's,y=null}}")]
    [InlineData("a: {}\nb: ~\nc: 'true'\nd: No\n", "{a={},b=null,c=true,d=<False>}")]
    [InlineData("a: \"\\t\\x41\\u00e9\\\\\\\"\"\n", "{a=\tAé\\\"}")]
    [InlineData("a : b\n", "{a=b}")]
    [InlineData("a:b: c\n", "{a:b=c}")]
    [InlineData("  a: b\n  c: d\n", "{a=b,c=d}")]
    [InlineData("a: -x\nb: ?x\n", "{a=-x,b=?x}")]
    public void Documents(string text, string expected) => Assert.Equal(expected, Show(Parse(text)));

    [Theory]
    [InlineData("a")]
    [InlineData("a: b: c")]
    [InlineData("a: 1\na: 2\n")]
    [InlineData("a: {b: 1, b: 2}")]
    [InlineData("- a\n")]
    [InlineData("a:\n- b\n")]
    [InlineData("a: [b]\n")]
    [InlineData("a: &x b\n")]
    [InlineData("a: *x\n")]
    [InlineData("*.example.com: b\n")]
    [InlineData("a: !!str b\n")]
    [InlineData("a: |\n  b\n")]
    [InlineData("a: >\n  b\n")]
    [InlineData("a: b\n  c\n")]
    [InlineData("a: b\n  c: d\n")]
    [InlineData("a:\n    b: c\n  d: e\n")]
    [InlineData("  a: b\nc: d\n")]
    [InlineData("a:\n\tb: c\n")]
    [InlineData("a: {b: c\n")]
    [InlineData("a: {b: c}}\n")]
    [InlineData("a: 'b\n")]
    [InlineData("a: 'b' c\n")]
    [InlineData("a: \"\\q\"\n")]
    [InlineData("a: \"\\u00\"\n")]
    [InlineData("a: b\n---\nc: d\n")]
    [InlineData("a: b\n...\nc: d\n")]
    [InlineData("%YAML 1.2\n---\na: b\n")]
    [InlineData("? a\n: b\n")]
    [InlineData(": b\n")]
    [InlineData("a: b\0c\n")]
    public void TheRestIsRefused(string text) => Assert.Throws<YamlException>(() => Parse(text));

    [Fact]
    public void BytesThatAreNoTextAreRefused() => Assert.Throws<YamlException>(() => YamlMapping.Parse([(byte)'a', (byte)':', (byte)' ', 0xff]));

    [Fact]
    public void DepthIsBounded()
    {
        Assert.Throws<YamlException>(() => Parse(string.Concat(Enumerable.Range(0, 1000).Select(depth => new string(' ', depth) + "a:\n"))));
        Assert.Throws<YamlException>(() => Parse("a: " + string.Concat(Enumerable.Repeat("{a: ", 100_000))));
    }

    [Fact]
    public void DamagedDocuments() => Mutations.Feed<YamlException>("---\n# x\ndefault-docker:\n  lookaside: file:///var/lib/sig\ndocker:\n  'a.example:5000/b': { use-sigstore-attachments: true, c: \"d\\x41\" }\n"u8.ToArray(), bytes => YamlMapping.Parse(bytes));
}
