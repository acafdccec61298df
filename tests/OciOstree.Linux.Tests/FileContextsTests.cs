namespace OciOstree.Linux.Tests;

public sealed class FileContextsTests : IDisposable
{
    private const uint RegularFile = 0x81A4, Directory = 0x41ED, Link = 0xA1FF;

    private readonly Scratch scratch = new();

    public void Dispose() => scratch.Dispose();

    [Fact]
    public void The_last_expression_that_fits_path_and_type_decides()
    {
        using FileContexts contexts = Open("""
            /.*	system_u:object_r:default_t:s0
            /usr(/.*)?	system_u:object_r:usr_t:s0
            /usr/bin(/.*)?	system_u:object_r:bin_t:s0
            /usr/bin/[^/]+	-l	system_u:object_r:link_t:s0
            /usr/bin	-d	system_u:object_r:bin_dir_t:s0
            /run(/.*)?	<<none>>
            """);
        Assert.Equal("system_u:object_r:usr_t:s0", contexts.Find("/usr/lib/x", RegularFile));
        Assert.Equal("system_u:object_r:bin_t:s0", contexts.Find("/usr/bin/x", RegularFile));
        Assert.Equal("system_u:object_r:link_t:s0", contexts.Find("/usr/bin/x", Link));
        Assert.Equal("system_u:object_r:bin_dir_t:s0", contexts.Find("/usr/bin", Directory));
        Assert.Equal("system_u:object_r:default_t:s0", contexts.Find("/srv", Directory));
        Assert.Null(contexts.Find("/run/lock", Directory));
    }

    [Fact]
    public void Homes_local_rules_and_substitutions_count()
    {
        scratch.Write("file_contexts.homedirs", "/home/[^/]+	-d	u:r:home_t:s0\n");
        scratch.Write("file_contexts.local", "/srv/www(/.*)?	u:r:www_t:s0\n");
        scratch.Write("file_contexts.subs_dist", "/usr/lib64 /usr/lib\n");
        scratch.Write("file_contexts.subs", "/data /srv/www\n");
        using FileContexts contexts = Open("/.*	u:r:default_t:s0\n/usr/lib(/.*)?	u:r:lib_t:s0\n");
        Assert.Equal("u:r:home_t:s0", contexts.Find("/home/bob", Directory));
        Assert.Equal("u:r:www_t:s0", contexts.Find("/srv/www/index", RegularFile));
        Assert.Equal("u:r:lib_t:s0", contexts.Find("/usr/lib64/libc.so", RegularFile));
        Assert.Equal("u:r:www_t:s0", contexts.Find("/data/index", RegularFile));
    }

    [Fact]
    public void Names_that_are_not_text_are_found()
    {
        using FileContexts contexts = Open("/.*	u:r:default_t:s0\n");
        Assert.Equal("u:r:default_t:s0", contexts.Find("/" + FileName.FromBytes([0xff, 0xfe]), RegularFile));
        Assert.Equal("u:r:default_t:s0", contexts.Find("/" + new string('ü', 2000), RegularFile));
    }

    [Theory]
    [InlineData("/usr(/.*)?\n")]
    [InlineData("/ü	u:r:x_t:s0\n")]
    [InlineData("/usr	-q	u:r:x_t:s0\n")]
    public void Text_that_is_no_file_contexts_is_refused(string text) =>
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => Open(text)).Errno);

    [Fact]
    public void A_file_that_is_not_there_is_an_error() =>
        Assert.Equal(Errno.ENOENT, Assert.Throws<LinuxException>(() => FileContexts.Open(System.IO.Path.Combine(scratch.Path, "missing"))).Errno);

    [Fact]
    public void A_broken_expression_is_an_error_and_not_a_path_without_a_label()
    {
        using FileContexts contexts = Open("/.*	u:r:default_t:s0\n/usr/([	u:r:usr_t:s0\n");
        Assert.Equal(Errno.EINVAL, Assert.Throws<LinuxException>(() => contexts.Find("/usr/bin", Directory)).Errno);
    }

    [Fact]
    public void Many_threads_may_ask_at_once()
    {
        using FileContexts contexts = Open(string.Concat(Enumerable.Range(0, 200).Select(i => $"/d{i}/[a-z]+(/.*)?	u:r:t{i}:s0\n")));
        Parallel.For(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i => Assert.Equal($"u:r:t{i % 200}:s0", contexts.Find($"/d{i % 200}/x/{i}", RegularFile)));
    }

    [Fact]
    public void After_its_end_nothing_is_asked()
    {
        FileContexts contexts = Open("/.*	u:r:default_t:s0\n");
        contexts.Dispose();
        contexts.Dispose();
        Assert.Throws<ObjectDisposedException>(() => contexts.Find("/", Directory));
    }

    private FileContexts Open(string text)
    {
        scratch.Write("file_contexts", text);
        return FileContexts.Open(System.IO.Path.Combine(scratch.Path, "file_contexts"));
    }
}
