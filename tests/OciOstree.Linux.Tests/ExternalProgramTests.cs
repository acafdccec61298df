namespace OciOstree.Linux.Tests;

public sealed class ExternalProgramTests
{
    [Fact]
    public void Output_errors_and_code_are_told()
    {
        ExternalProgram run = ExternalProgram.Run("sh", ["-c", "cat; echo one >&2; echo \"two $A\" >&2; pwd; exit 7"], "in"u8.ToArray(), [new("A", "b")], "/usr");
        Assert.Equal((7, "in/usr\n", "one\ntwo b\n", "two b"), (run.ExitCode, run.Text, run.Error, run.LastLine));
        Assert.Equal("sh: exit code 7: two b", run.Failure("sh"));
        Assert.Equal("true: exit code 0", ExternalProgram.Run("true", []).Failure("true"));
    }

    [Fact]
    public void A_program_that_is_not_there_is_the_kernels_error() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => ExternalProgram.Run("no-such-program", [])).Errno);

    [Fact]
    public void Of_complaints_without_end_the_last_are_kept()
    {
        ExternalProgram run = ExternalProgram.Run("sh", ["-c", "yes complaint | head -c 9000000 >&2; echo; echo last >&2"]);
        Assert.InRange(run.Error.Length, ExternalProgram.ErrorLimit - 20, ExternalProgram.ErrorLimit);
        Assert.StartsWith("complaint\n", run.Error);
        Assert.Equal("last", run.LastLine);
    }

    [Fact]
    public void A_program_that_prints_without_end_is_stopped() =>
        Assert.Contains("printed more than 64 MiB", Assert.Throws<IOException>(() => ExternalProgram.Run("cat", ["/dev/zero"])).Message);

    [Fact]
    public void One_that_does_not_end_is_stopped_with_what_it_started()
    {
        IOException late = Assert.Throws<IOException>(() => ExternalProgram.Run("sh", ["-c", "sleep 1000 & wait"], timeLimit: TimeSpan.FromMilliseconds(100)));
        Assert.Equal("sh was still running after 0 seconds and was stopped", late.Message);
        Assert.Equal(0, ExternalProgram.Run("true", [], timeLimit: TimeSpan.FromMinutes(1)).ExitCode);
    }

    [Fact]
    public void Of_its_command_line_no_word_is_lost()
    {
        Assert.Equal(["ostree", "commit", "-s", ""], ProgramImage.Split("ostree\0commit\0-s\0\0"u8));
        Assert.Equal(["ostree", "", "log"], ProgramImage.Split("ostree\0\0log\0"u8));
    }

    [Fact]
    public void Input_that_is_not_wanted_is_no_error() =>
        Assert.Equal(0, ExternalProgram.Run("true", [], new byte[4 << 20]).ExitCode);
}
