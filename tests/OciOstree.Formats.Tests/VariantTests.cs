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
}
