using System.Runtime.InteropServices;

namespace OciOstree.Sysroot.Tests;

public partial class VersionOrderTests
{
    private static readonly string[] Samples =
        ["", "0", "00", "000", "1", "2", "9", "10", "11", "01", "010", "09", "001", "a", "a1", "a01", "a10", "a2", "item#9", "item#99", "item#100", "alpha1", "alpha001", "part1_f012", "part1_f01", "foo.009", "foo.0", "1.2.3", "1.10.0", "1.9", "12a", "12b", "0a", "00a", "1a0", "1a00", "-", "~"];


    [Fact]
    public void Compares_as_the_c_library()
    {
        foreach (string a in Samples)
        {
            foreach (string b in Samples)
            {
                Assert.True(Math.Sign(strverscmp(a, b)) == Math.Sign(VersionOrder.Instance.Compare(a, b)), $"'{a}' and '{b}'");
            }
        }
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int strverscmp(string a, string b);
}
