using System.Text;
using OciOstree.Formats.Json;

namespace OciOstree.Formats.Tests;

public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData("[1, 2,3]", "[1,2,3]")]
    [InlineData(" { } ", "{}")]
    [InlineData("""{"nested":{"good":false,"bad":true},"b":2,"a":1,"c":{"h":{"h":-5,"i":3},"a":null,"x":{}}}""", """{"a":1,"b":2,"c":{"a":null,"h":{"h":-5,"i":3},"x":{}},"nested":{"bad":true,"good":false}}""")]
    [InlineData("""{"a":1,"a!":2,"a b":3,"aa":4}""", """{"a b":3,"a!":2,"a":1,"aa":4}""")]
    [InlineData("""{"a":1,"a":2}""", """{"a":2}""")]
    [InlineData("\"\\u003c\\/\\u00e9\\\"\\\\ \"", "\"</é\\\"\\\\ \"")]
    [InlineData("\"a\\nb\\u0001\"", "\"a\nb\u0001\"")]
    [InlineData("18446744073709551615", "18446744073709551615")]
    [InlineData("-9223372036854775808", "-9223372036854775808")]
    public void IsWrittenAsOlpcCjsonDoes(string json, string canonical) =>
        Assert.Equal(canonical, Encoding.UTF8.GetString(CanonicalJson.Serialize(Encoding.UTF8.GetBytes(json))));

    [Theory]
    [InlineData("8.0")]
    [InlineData("""{"x":1e3}""")]
    [InlineData("[-0]")]
    [InlineData("18446744073709551616")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{")]
    [InlineData("")]
    public void WhatHasNoCanonicalFormIsRefused(string json) =>
        Assert.Throws<CanonicalJsonException>(() => CanonicalJson.Serialize(Encoding.UTF8.GetBytes(json)));
}
