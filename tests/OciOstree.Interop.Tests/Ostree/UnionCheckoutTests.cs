namespace OciOstree.Interop.Tests.Ostree;

/// <summary>What random trees found about checkouts over what is there already.</summary>
public sealed class UnionCheckoutTests : IDisposable
{
    private readonly ScratchDirectory scratch = new();

    public UnionCheckoutTests() => Tool.Shell("""
        mkdir -p below/dir above/file
        echo below > below/file; echo below > below/link; ln -s /etc below/dangling; ln -s dir below/inside
        echo above > above/file/new; ln -s target above/link; chown -h 7:8 above/link; mkdir above/dangling above/inside; echo above > above/dangling/new; echo above > above/inside/new
        """, scratch.Path).Ok();

    public void Dispose() => scratch.Dispose();

    [Theory]
    [InlineData("bare")]
    [InlineData("archive")]
    public void A_link_that_replaces_something_has_the_owner_that_the_real_one_gives_it(string mode)
    {
        Tool.Shell($"""
            rm -r above/file above/dangling above/inside
            ostree init --repo=repo --mode={mode}
            ostree --repo=repo commit -b below below; ostree --repo=repo commit -b above above
            """, scratch.Path).Ok();
        foreach (string whiteouts in new[] { "", "--whiteouts" })
        {
            Tool.Shell($"""
                rm -rf real ours
                ostree --repo=repo checkout below real; ostree --repo=repo checkout --union {whiteouts} above real
                {OurProgram.Path("ostree")} --repo=repo checkout below ours; {OurProgram.Path("ostree")} --repo=repo checkout --union {whiteouts} above ours
                """, scratch.Path).Ok();
            TreeSnapshot.AssertEqual(scratch["real"], scratch["ours"]);
        }
    }

    // 2022.7 fails there; later releases replace it, as layers of images want.
    [Fact]
    public void With_whiteouts_a_directory_takes_the_place_of_a_file_or_link()
    {
        Tool.Shell($"""
            ostree init --repo=repo --mode=bare
            ostree --repo=repo commit -b below below; ostree --repo=repo commit -b above above
            ostree --repo=repo checkout below out; {OurProgram.Path("ostree")} --repo=repo checkout --union --whiteouts above out
            """, scratch.Path).Ok();
        foreach (string name in new[] { "file", "dangling", "inside" })
        {
            Assert.Null(new DirectoryInfo(scratch[$"out/{name}"]).LinkTarget);
            Assert.Equal("above\n", File.ReadAllText(scratch[$"out/{name}/new"]));
        }
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["out/dir"]));
        Assert.False(File.Exists("/etc/new"));
    }

    [Theory]
    [InlineData("bare")]
    [InlineData("archive")]
    public void A_link_with_a_whiteouts_name_is_a_link(string mode)
    {
        Tool.Shell($"""
            mkdir layer; ln -s / layer/.wh.; ln -s nowhere layer/.wh.file; echo gone > layer/.wh.link; ln -s x layer/.wh..wh.y
            ostree init --repo=repo --mode={mode}
            ostree --repo=repo commit -b below below; ostree --repo=repo commit -b layer layer
            ostree --repo=repo checkout below real; ostree --repo=repo checkout --union --whiteouts layer real
            ostree --repo=repo checkout below ours; {OurProgram.Path("ostree")} --repo=repo checkout --union --whiteouts layer ours
            """, scratch.Path).Ok();
        TreeSnapshot.AssertEqual(scratch["real"], scratch["ours"]);
        Assert.True(File.Exists(scratch["ours/file"]));
        Assert.False(File.Exists(scratch["ours/link"]));
    }

    // Without whiteouts a link to a directory is one, as long as it stays inside: what it leads to is not for a commit to change.
    [Fact]
    public void Without_whiteouts_nothing_is_written_outside()
    {
        Tool.Shell($"""
            rm -r above/file
            mkdir outside; ln -sfn {scratch["outside"]} below/dangling
            ostree init --repo=repo --mode=bare
            ostree --repo=repo commit -b below below; ostree --repo=repo commit -b above above
            ostree --repo=repo checkout below out
            """, scratch.Path).Ok();
        Tool.Run(new ToolStart(OurProgram.Path("ostree")) { Directory = scratch.Path }, "--repo=repo", "checkout", "--union", "above", "out").Failed();
        Assert.Empty(Directory.EnumerateFileSystemEntries(scratch["outside"]));
    }
}
