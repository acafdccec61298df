using OciOstree.Formats.GVariant;

namespace OciOstree.Formats.Tests;

public sealed class VariantTests
{
    [Fact]
    public void DictionaryHasTheSpecificationsBytes()
    {
        // The example of the GVariant specification: a{si} of 'hi': -2 ... as one entry, type {si}.
        Variant entry = Variant.DictEntry(Variant.String("a key"), Variant.Int32(514));
        Assert.Equal("61206b65790000000202000006", Convert.ToHexStringLower(entry.Data.Span));
        // A structure of a string and an integer, and an array of strings, from the same page.
        Assert.Equal("666f6f00ffffffff04", Convert.ToHexStringLower(Variant.Tuple(Variant.String("foo"), Variant.Int32(-1)).Data.Span));
        Assert.Equal("690063616e0068617300737472696e67733f0002060a13", Convert.ToHexStringLower(Variant.Strings(["i", "can", "has", "strings?"]).Data.Span));
    }

    [Fact]
    public void WhatIsBuiltReadsBack()
    {
        Variant dictionary = Variant.Dictionary(
        [
            new("version", Variant.String("1.0")),
            new("size", Variant.UInt64(1UL << 40)),
            new("list", Variant.Strings(["a", "b"])),
        ]);
        Variant read = Variant.FromBytes("a{sv}", dictionary.Data);
        Assert.True(read.IsNormalForm());
        Assert.Equal("1.0", read.Lookup("version")!.AsString());
        Assert.Equal(1UL << 40, read.Lookup("size")!.AsUInt64());
        Assert.Equal(["a", "b"], read.Lookup("list")!.AsStrings());
        Assert.Null(read.Lookup("none"));
        Assert.Null(read.Lookup("size", "s"));
        Assert.Equal("{'version': <'1.0'>, 'size': <uint64 1099511627776>, 'list': <['a', 'b']>}", read.Print());
    }

    [Fact]
    public void RandomValuesReadBackFromTheirBytesAndFromTheirText()
    {
        var random = new Random(1);
        for (int i = 0; i < 3000; i++)
        {
            Variant value = RandomValue(random, RandomType(random, 4), 3);
            Assert.True(Variant.FromBytes(value.Type, value.Data).IsNormalForm(), value.Print());
            Assert.Equal(value, Variant.Parse(value.Print()));
            Assert.Equal(value, Variant.Parse(value.Print(annotate: false), value.Type));
            Assert.Equal(value, value.ByteSwap().ByteSwap());
        }
    }

    [Fact]
    public void RandomBytesNeverCrashAndNormalFormIsStable()
    {
        var random = new Random(2);
        for (int i = 0; i < 20000; i++)
        {
            string type = RandomType(random, 4);
            var data = new byte[random.Next(40)];
            random.NextBytes(data);
            for (int j = 0; j < data.Length; j++)
            {
                if (random.Next(3) > 0)
                    data[j] = (byte)random.Next(data.Length);
            }
            Variant value = Variant.FromBytes(type, data);
            Variant normal = value.Normalize();
            Assert.True(normal.IsNormalForm());
            Assert.Equal(value.Print(), normal.Print());
            Assert.Equal(value.IsNormalForm(), data.AsSpan().SequenceEqual(normal.Data.Span));
        }
    }

    [Fact]
    public void RandomTextsAreValuesOrVariantExceptions()
    {
        var random = new Random(3);
        string[] pieces = ["[", "]", "(", ")", "{", "}", "<", ">", ",", ":", "1", "-", "1.5", "'a'", "'", "\"", "b'", "\\", "@ai", "@", "just ", "nothing", "uint32 ", " ", "true", "\\u00", "0x", "%", "e"];
        for (int i = 0; i < 50000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => pieces[random.Next(pieces.Length)]));
            try
            {
                Variant value = Variant.Parse(text);
                Assert.Equal(value, Variant.Parse(value.Print()));
            }
            catch (VariantException)
            {
                // As good an outcome.
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("ii")]
    [InlineData("z")]
    [InlineData("*")]
    [InlineData("(i")]
    [InlineData("i)")]
    [InlineData("{vs}")]
    [InlineData("{s}")]
    [InlineData("{sss}")]
    [InlineData("{ass}")]
    public void WhatIsNoTypeIsRefused(string type) => Assert.Throws<VariantException>(() => Variant.FromBytes(type, default));

    [Fact]
    public void NestingIsLimited()
    {
        Assert.Equal("()", Variant.FromBytes(new string('a', 128) + "y", default).Normalize() is { Count: 0 } ? "()" : "");
        Assert.Throws<VariantException>(() => Variant.FromBytes(new string('a', 129) + "y", default));
        Assert.Throws<VariantException>(() => Variant.FromBytes(new string('(', 100_000), default));
        Assert.Throws<VariantException>(() => Variant.Parse(new string('[', 100_000)));
        Assert.Throws<VariantException>(() => Variant.Parse(new string('<', 100_000)));
        // Boxes in boxes, as deep as bytes can say it: reading stops, the stack does not overflow.
        byte[] boxes = [0, .. Enumerable.Repeat("v"u8.ToArray(), 100_000).SelectMany(v => new byte[] { 0, v[0] })];
        Variant deep = Variant.FromBytes("v", boxes);
        Assert.False(deep.IsNormalForm());
        Assert.StartsWith("<<<", deep.Print(), StringComparison.Ordinal);
    }

    [Fact]
    public void ReadingAsAnotherTypeIsAnError()
    {
        Variant number = Variant.UInt32(5);
        Assert.Equal("a GVariant value of type u was read as t", Assert.Throws<VariantException>(() => number.AsUInt64()).Message);
        Assert.Throws<VariantException>(() => number.AsString());
        Assert.Throws<VariantException>(() => number.AsVariant());
        Assert.Throws<VariantException>(() => number.AsMaybe());
        Assert.Throws<VariantException>(() => number.AsBytes());
        Assert.Throws<VariantException>(() => number.AsStrings());
        Assert.Throws<VariantException>(() => number.Lookup("a"));
        Assert.Throws<ArgumentOutOfRangeException>(() => number[0]);
    }

    [Fact]
    public void BuildersRefuseWhatHasNoBytes()
    {
        Assert.Throws<VariantException>(() => Variant.String("a\0b"));
        Assert.Throws<VariantException>(() => Variant.String("\ud800"));
        Assert.Throws<VariantException>(() => Variant.ObjectPath("a"));
        Assert.Throws<VariantException>(() => Variant.Signature("m"));
        Assert.Throws<VariantException>(() => Variant.Array("s", [Variant.Int32(1)]));
        Assert.Throws<VariantException>(() => Variant.DictEntry(Variant.Strings([]), Variant.Int32(1)));
    }

    [Fact]
    public void ATupleOfManyMembersIsReadInLinearTime()
    {
        string type = "(" + new string('s', 100_000) + ")";
        Variant value = Variant.FromBytes(type, new byte[300_000]);
        Assert.Equal(100_000, value.Children.Count(c => c.AsString().Length == 0));
    }

    [Fact]
    public void OffsetsGrowWithTheContainer()
    {
        foreach (int length in (int[])[0, 1, 252, 253, 254, 255, 65531, 65532, 65533, 65534, 70000])
        {
            Variant value = Variant.Tuple(Variant.String(new string('x', length)), Variant.Strings([new string('y', length), "z"]));
            Variant read = Variant.FromBytes("(sas)", value.Data);
            Assert.True(read.IsNormalForm());
            Assert.Equal(length, read[0].AsString().Length);
            Assert.Equal("z", read[1][1].AsString());
        }
    }

    private static string RandomType(Random random, int depth)
    {
        const string basic = "bynqiuxthdsog";
        int kind = random.Next(depth == 0 ? 13 : 20);
        return kind switch
        {
            < 13 => basic[kind].ToString(),
            13 => "v",
            14 or 15 => "a" + RandomType(random, depth - 1),
            16 => $"a{{{basic[random.Next(13)]}{RandomType(random, depth - 1)}}}",
            17 => "m" + RandomType(random, depth - 1),
            _ => $"({string.Concat(Enumerable.Range(0, random.Next(4)).Select(_ => RandomType(random, depth - 1)))})",
        };
    }

    private static Variant RandomValue(Random random, string type, int depth)
    {
        switch (type[0])
        {
            case 'b': return Variant.Boolean(random.Next(2) == 0);
            case 'y': return Variant.Byte((byte)random.Next(256));
            case 'n': return Variant.Int16((short)random.Next());
            case 'q': return Variant.UInt16((ushort)random.Next());
            case 'i': return Variant.Int32(random.Next(int.MinValue, int.MaxValue));
            case 'u': return Variant.UInt32((uint)random.Next());
            case 'x': return Variant.Int64(random.NextInt64(long.MinValue, long.MaxValue));
            case 't': return Variant.UInt64((ulong)random.NextInt64());
            case 'h': return Variant.Handle(random.Next(9));
            case 'd': return Variant.Double(random.Next(3) == 0 ? random.Next(100) : BitConverter.Int64BitsToDouble(random.NextInt64(0x7ff0_0000_0000_0000)));
            case 's': return Variant.String(((string[])["", "a'b", "\"\\", "\u00e9\n\u0001", "\U0001f600"])[random.Next(5)]);
            case 'o': return Variant.ObjectPath(random.Next(2) == 0 ? "/" : "/a/b_1");
            case 'g': return Variant.Signature(random.Next(2) == 0 ? "" : "a{sv}(i)");
            case 'v': return Variant.Boxed(depth == 0 ? Variant.Int32(1) : RandomValue(random, RandomType(random, depth - 1), depth - 1));
            case 'm': return random.Next(3) == 0 ? Variant.Nothing(type[1..]) : Variant.Just(RandomValue(random, type[1..], depth));
            case 'a': return Variant.Array(type[1..], Enumerable.Range(0, random.Next(4)).Select(_ => RandomValue(random, type[1..], depth)));
            default:
                // The members' types, from a value of nothing but zeros.
                Variant pattern = Variant.FromBytes(type, default);
                Variant[] members = pattern.Children.Select(c => RandomValue(random, c.Type, depth)).ToArray();
                return type[0] == '(' ? Variant.Tuple(members) : Variant.DictEntry(members[0], members[1]);
        }
    }
}
