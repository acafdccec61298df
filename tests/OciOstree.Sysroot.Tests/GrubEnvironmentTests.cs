using System.Text;

namespace OciOstree.Sysroot.Tests;

public sealed class GrubEnvironmentTests
{
    [Fact]
    public void It_is_what_grub_editenv_reads_and_writes()
    {
        using var scratch = new ScratchDirectory("grubenv");
        string real = scratch["real"];
        Tool.Run("grub-editenv", real, "create").Ok();
        Tool.Run("grub-editenv", real, "set", "boot_counter=3", "boot_success=0", @"odd=a\b=c#d", "empty=").Ok();
        byte[] bytes = File.ReadAllBytes(real);
        GrubEnvironment environment = GrubEnvironment.Parse(bytes);
        Assert.Equal(["boot_counter", "boot_success", "odd", "empty"], environment.Names);
        Assert.Equal(@"a\b=c#d", environment["odd"]);
        Assert.Equal("", environment["empty"]);
        Assert.Equal(bytes, environment.Serialize());

        environment["boot_success"] = "1";
        environment["boot_counter"] = null;
        environment["new"] = @"x\\y";
        string ours = scratch["ours"];
        File.WriteAllBytes(ours, environment.Serialize());
        Tool.Run("grub-editenv", real, "set", "boot_success=1", @"new=x\\y").Ok();
        Tool.Run("grub-editenv", real, "unset", "boot_counter").Ok();
        Assert.Equal(Tool.Run("grub-editenv", real, "list").Ok().Output, Tool.Run("grub-editenv", ours, "list").Ok().Output);
        Assert.Equal(GrubEnvironment.Size, new FileInfo(ours).Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("# GRUB Environment")]
    [InlineData("boot_counter=3\n")]
    [InlineData("# GRUB Environment Block\nboot_counter=3")]
    [InlineData("# GRUB Environment Block\na=b\\")]
    [InlineData("# GRUB Environment Block\na=b\\\n")]
    public void Other_bytes_are_refused(string content) =>
        Assert.Throws<GrubEnvironmentException>(() => GrubEnvironment.Parse(Encoding.Latin1.GetBytes(content)));

    [Fact]
    public void Whatever_the_bytes_it_parses_or_throws_its_own_exception()
    {
        var random = new Random(5);
        for (int i = 0; i < 3000; i++)
        {
            byte[] bytes = [.. "# GRUB Environment Block\na=b\n# note\nc=\\\\d\n"u8, .. new byte[random.Next(40)]];
            for (int flips = random.Next(6); flips > 0; flips--)
            {
                bytes[random.Next(25, bytes.Length)] = "\n\\=#x\0"u8[random.Next(6)];
            }
            try
            {
                byte[] again = GrubEnvironment.Parse(bytes).Serialize();
                Assert.Equal(GrubEnvironment.Parse(again).Names, GrubEnvironment.Parse(bytes).Names);
            }
            catch (GrubEnvironmentException)
            {
                continue;
            }
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var environment = new GrubEnvironment();
        Assert.Equal("# GRUB Environment Block\n####", Encoding.ASCII.GetString(new GrubEnvironment { ["a"] = null }.SerializeBlock()[..29]));
        environment["long"] = new string('x', 1000);
        Assert.Throws<GrubEnvironmentException>(environment.Serialize);
    }
}

file static class Blocks
{
    // An empty environment made here is as large as GRUB makes one.
    public static byte[] SerializeBlock(this GrubEnvironment environment)
    {
        byte[] block = environment.Serialize();
        Assert.Equal(GrubEnvironment.Size, block.Length);
        return block;
    }
}
