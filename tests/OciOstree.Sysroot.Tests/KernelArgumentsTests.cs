using Xunit;

namespace OciOstree.Sysroot.Tests;

public class KernelArgumentsTests
{
    [Theory]
    [InlineData("quiet rw root=/dev/sda1 console=tty0 console=ttyS0")]
    [InlineData("test=\"1 2\" a=b=c =x y=")]
    public void A_command_line_survives_parsing(string line) => Assert.Equal(line, KernelArguments.Parse(line).ToString());

    [Fact]
    public void Leading_and_doubled_spaces_go_and_an_open_quote_takes_the_rest() =>
        Assert.Equal(["a", "b=\"c d"], KernelArguments.Parse("  a  b=\"c d").ToList());

    [Fact]
    public void Replace_takes_the_place_of_the_first_and_drops_the_others()
    {
        KernelArguments arguments = KernelArguments.Parse("a=1 b=2 a=3 c");
        arguments.Replace("a=9");
        arguments.Replace("new=word");
        Assert.Equal("a=9 b=2 c new=word", arguments.ToString());
    }

    [Fact]
    public void Append_splits_and_keeps_the_same_key_twice()
    {
        KernelArguments arguments = KernelArguments.Parse("console=tty0");
        arguments.Append("console=ttyS0 quiet");
        arguments.AppendIfMissing("quiet");
        arguments.AppendIfMissing("console=tty9");
        Assert.Equal("console=tty0 console=ttyS0 quiet", arguments.ToString());
        Assert.Equal("ttyS0", arguments.LastValue("console"));
        Assert.Null(arguments.LastValue("quiet"));
    }

    [Fact]
    public void Delete_wants_to_know_which_one()
    {
        KernelArguments arguments = KernelArguments.Parse("console=tty0 console=ttyS0 quiet single=1");
        Assert.Equal("Multiple values for key 'console' found", Assert.Throws<SysrootException>(() => arguments.Delete("console")).Message);
        Assert.Equal("No karg 'console=x' found", Assert.Throws<SysrootException>(() => arguments.Delete("console=x")).Message);
        Assert.Equal("No karg 'single=2' found", Assert.Throws<SysrootException>(() => arguments.Delete("single=2")).Message);
        Assert.Equal("No key 'nope' found", Assert.Throws<SysrootException>(() => arguments.Delete("nope")).Message);
        arguments.DeleteIfPresent("nope=1");
        arguments.Delete("console=tty0");
        arguments.Delete("single");
        Assert.Equal("console=ttyS0 quiet", arguments.ToString());
    }

    [Fact]
    public void A_key_without_value_among_several_is_deleted_by_its_name()
    {
        KernelArguments arguments = KernelArguments.Parse("a=1 a a=2");
        arguments.Delete("a");
        Assert.Equal("a=1 a=2", arguments.ToString());
    }

    [Fact]
    public void ReplaceExisting_takes_new_or_old_and_new()
    {
        KernelArguments arguments = KernelArguments.Parse("root=a console=tty0 console=ttyS0");
        arguments.ReplaceExisting("root=b");
        arguments.ReplaceExisting("console=tty0=tty1");
        Assert.Equal("root=b console=tty1 console=ttyS0", arguments.ToString());
        Assert.Throws<SysrootException>(() => arguments.ReplaceExisting("console=x"));
        Assert.Throws<SysrootException>(() => arguments.ReplaceExisting("console=x=y"));
        Assert.Throws<SysrootException>(() => arguments.ReplaceExisting("nokey=1"));
    }
}
