using OciOstree.Registry;

namespace OciOstree.Container.Tests;

/// <summary>Layers as no builder in use here makes them, but as a container runtime takes them: what podman shows of an image is what is imported.</summary>
public sealed class RuntimeTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("runtime");
    private readonly TestRepo test = new();
    private readonly ContainerEngine engine;

    public RuntimeTests() => engine = new ContainerEngine(scratch);

    public void Dispose()
    {
        engine.Dispose();
        test.Dispose();
        scratch.Dispose();
    }

    private void Compare(MemoryImage image, string name)
    {
        image.WriteLayout(scratch[name]);
        var merge = test.Import(image, name).MergeCommit;
        test.RequireSound();
        Tool.Run("ostree", $"--repo={test.Path}", "checkout", merge.ToString(), scratch[name + "-root"]).Ok();
        CompareLayout(name, scratch[name + "-root"]);
    }

    // What a runtime shows, by the rules: etc is in usr/etc, and special files are left out.
    private void CompareLayout(string layout, string root)
    {
        engine.Podman("pull", "--quiet", $"oci:{scratch[layout]}:1").Ok();
        var id = engine.Podman("images", "--quiet", "--no-trunc").Ok().OutputLines[0];
        engine.WithMounted(id, mounted =>
        {
            Tool.Shell("chmod 755 .; find . -type p -delete; find . -type c -delete; find . -type b -delete; if [ -d etc ]; then mkdir -p usr/etc; cp -a etc/. usr/etc/; rm -r etc; fi", mounted).Ok();
            TreeSnapshot.AssertEqual(mounted, root);
        });
        engine.Podman("rmi", "--force", id).Ok();
    }

    [Fact]
    public void Odd_layers_are_what_podman_makes_of_them()
    {
        string name255 = new('n', 255), deep = "usr/" + string.Join('/', Enumerable.Repeat(new string('p', 250), 12));
        string capability2 = "\u0001\0\0\u0002\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0", capability3 = "\u0001\0\0\u0003\0\u0020\0\0\0\0\0\0\0\0\0\0\0\0\0\0\u00e8\u0003\0\0";
        var image = new MemoryImage().AddTar(RawTar.New
            .Extended('g', ("comment", "0123456789"), ("uid", "5"), ("gid", "6"), ("mtime", "7"), ("SCHILY.xattr.user.g", "g"))
            .Add('0', "./usr/dot", "dot")
            .Add('0', "/usr/slash", "slash")
            .Add('0', "usr//.//double", "double")
            .Add('0', "usr/late/parent/file", "before its parents", "", (108, "0000005\0"))
            .Add('5', "usr/late/", "", "", (100, "0000700\0"), (108, "0000007\0"))
            .Add('0', "usr/missing/parents/file", "no parents")
            .Long('L', deep + "/gnu").Add('0', "cut", "gnu")
            .Pax(("path", deep + "/pax")).Add('0', "cut", "pax")
            .Long('K', deep + "/gnu").Add('1', "usr/hard")
            .Pax(("linkpath", new string('t', 3000))).Add('2', "usr/sym", "", "cut")
            .Pax(("path", "usr/by-pax")).Long('L', "usr/by-gnu").Add('0', "cut")
            .Add('0', "prefixed", "p", "", (345, "usr/" + new string('q', 120)))
            .Add('0', "usr/owner256", "", "", (108, "\x80\0\0\0\xb2\xd0\x5e\0"), (116, "\x80\0\0\0\0\x20\0\0"))
            .Pax(("uid", "3000000000"), ("gid", "4294967294"), ("mtime", "99999999999.5")).Add('0', "usr/owner-pax")
            .Add('0', "usr/past", "", "", (136, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb"))
            .Add('0', "usr/twice", "first")
            .Add('0', "usr/set-id", "s", "", (100, "0106755\0"))
            .Add('5', "usr/sticky", "", "", (100, "0041777\0"))
            .Add('\0', "usr/v7", "old", "", (257, "\0\0\0\0\0\0\0\0"), (100, "100640 \0"))
            .Add('\0', "usr/v7-dir/", "", "", (257, "\0\0\0\0\0\0\0\0"), (100, " 40750 \0"))
            .Add('2', "usr/mode-of-link", "", "x", (100, "0000000\0"))
            .Add('0', "usr/a..b", "1").Add('0', "usr/...", "2").Add('0', "usr/-", "3").Add('0', "usr/--help", "4").Add('0', "usr/new\nline", "5").Add('0', "usr/back\\slash", "6").Add('0', "usr/tab\t", "7")
            .Add('0', "usr/Case", "C").Add('0', "usr/case", "c").Add('0', "usr/CASE", "CC").Add('0', "usr/wh.x", "8").Add('0', "usr/x.wh.", "9").Add('0', "usr/日本", "10")
            .Long('L', "usr/" + name255).Add('0', "cut", "255").Long('L', "usr/gone/" + name255).Add('0', "cut", "255")
            .Pax(("SCHILY.xattr.security.capability", capability2), ("SCHILY.xattr.user.binary", "\0\u00ff\n=")).Add('0', "usr/capability2", "x", "", (100, "0000755\0"), (108, "0000005\0"))
            .Pax(("SCHILY.xattr.security.capability", capability2), ("SCHILY.xattr.user.binary", "\0\u00ff\n=")).Add('1', "usr/capability2-again", "", "usr/capability2", (100, "0000755\0"), (108, "0000005\0"))
            .Pax(("SCHILY.xattr.security.capability", capability3), ("SCHILY.xattr.user.a=b", "c"), ("SCHILY.xattr.user.none", "")).Add('0', "usr/capability3", "x")
            .Pax(("SCHILY.xattr.com.apple.quarantine", "q")).Add('0', "usr/foreign", "x")
            .Pax(("SCHILY.xattr.user.d", "d"), ("SCHILY.xattr.trusted.d", "t")).Add('5', "usr/dir-xattrs")
            .Pax(("SCHILY.xattr.trusted.l", "t")).Add('2', "usr/link-xattrs", "", "x")
            .Add('1', "usr/chain1", "", "usr/twice").Add('1', "usr/chain2", "", "usr/chain1").Add('1', "./usr/chain3", "", "./usr/chain2").Add('1', "usr/chain4", "", "/usr/chain3")
            .Add('6', "usr/pipe").Add('1', "usr/pipe-again", "", "usr/pipe").Add('3', "usr/null", "", "", (329, "0000001\0"), (337, "0000003\0")).Add('1', "usr/null-again", "", "usr/null").Add('4', "usr/disk")
            .Add('0', "etc/conf", "conf").Add('1', "usr/conf", "", "etc/conf").Add('1', "etc/conf2", "", "usr/conf").Add('0', "etc/gone", "x").Add('0', "usr/etc/default", "default")
            .Add('5', "usr/full").Add('0', "usr/full/a", "a").Add('0', "usr/full/b/c", "c").Add('2', "usr/full/l", "", "a")
            .Add('0', "usr/f1", "1").Add('5', "usr/d1").Add('0', "usr/d1/x", "x").Add('2', "usr/l1", "", "f1").Add('0', "usr/f2", "1").Add('2', "usr/l2", "", "d1").Add('5', "usr/d2").Add('0', "usr/d2/x", "x")
            .Add('0', "opt/top", "x").Add('0', "var/top", "x")
            .End());
        image.AddTar(RawTar.New
            .Add('0', "usr/.wh.twice").Long('L', "usr/gone/.wh." + name255).Add('0', "cut")
            .Add('0', "etc/.wh.gone").Add('0', "etc/.wh.never")
            .Add('5', "usr/full").Add('0', "usr/full/.wh..wh..opq").Add('0', "usr/full/new", "n")
            .Add('5', "usr/f1").Add('0', "usr/f1/in", "x").Add('2', "usr/d1", "", "f1").Add('0', "usr/l1", "file").Add('0', "usr/d2", "file").Add('5', "usr/l2").Add('2', "usr/f2", "", "d1")
            .Add('0', "usr/-", "changed").Add('0', "usr/null", "a file now")
            .End());
        // Once more, each thing of the two that is there again and gone.
        image.AddTar(RawTar.New.Add('0', "usr/full/.wh.new").Add('0', "usr/.wh.f1").Add('0', "usr/twice", "third").Add('0', "var/.wh.top").Add('0', ".wh.opt").End());
        image.AddBlob(image.Blob(1), image.DiffId(1));
        Compare(image, "odd");

        // And so is the image that is exported again.
        using (var destination = ImageDestination("exported"))
        {
            Reexport.Run(test.Repo, TestRepo.Reference("odd").Image, destination);
        }

        CompareLayout("exported", scratch["odd-root"]);
        Assert.Equal(["usr/pipe", "usr/pipe-again", "usr/null", "usr/null-again", "usr/disk"], test.Import(image, "again").Dropped.SpecialFiles);
    }

    private IImageDestination ImageDestination(string layout) => Images.OpenDestination(ImageReference.Parse($"oci:{scratch[layout]}:1"), new RegistryOptions());

    [Fact]
    public void Names_that_come_twice_are_what_umoci_makes_of_them()
    {
        // podman refuses them.
        var image = new MemoryImage().AddTar(RawTar.New
            .Add('0', "usr/twice", "first").Add('0', "usr/other").Add('0', "./usr/twice", "second", "", (100, "0000600\0"))
            .Add('1', "usr/linked", "", "usr/twice").Add('0', "usr/twice", "third")
            .Add('5', "usr/dir-then-file").Add('0', "usr/dir-then-file/inside", "x").Add('0', "usr/dir-then-file", "file")
            .Add('0', "usr/file-then-dir", "file").Add('5', "usr/file-then-dir").Add('0', "usr/file-then-dir/inside", "x")
            .Add('2', "usr/link-then-dir", "", "late").Add('5', "usr/link-then-dir").Add('0', "usr/link-then-dir/inside", "x")
            .Add('5', "usr/dir-then-link").Add('2', "usr/dir-then-link", "", "late")
            .Add('0', "usr/a", "a").Add('1', "usr/b", "", "usr/a").Add('0', "usr/b", "b").Add('2', "usr/a", "", "b")
            .Add('5', "usr/d", "", "", (100, "0000700\0")).Add('0', "usr/d/x", "x").Add('5', "usr/d", "", "", (100, "0000711\0"))
            .End());
        image.WriteLayout(scratch["twice"]);
        Tool.Run("umoci", "raw", "unpack", "--image", scratch["twice"] + ":1", scratch["expected"]).Ok();
        Tool.Run("ostree", $"--repo={test.Path}", "checkout", test.Import(image).MergeCommit.ToString(), scratch["root"]).Ok();
        TreeSnapshot.AssertEqual(scratch["expected"], scratch["root"]);
    }

    [Fact]
    public void Archives_of_other_programs_are_what_podman_makes_of_them()
    {
        Tool.Shell("""
            mkdir -p tree/usr/share/deep tree/etc && cd tree
            truncate -s 3M usr/share/sparse; for at in 4096 1500000 2999990; do printf content | dd of=usr/share/sparse bs=1 seek=$at conv=notrunc status=none; done
            truncate -s 200000 usr/share/hole; echo x >usr/share/plain; chmod 4750 usr/share/plain; chown 3000000:70 usr/share/plain
            ln usr/share/plain usr/share/hard; ln -s ../plain usr/share/link; mkfifo usr/share/fifo; mkdir -m 1777 usr/share/sticky; touch -d 1960-01-01 usr/share/past; touch -d 2400-01-01 usr/share/future
            setfattr -n user.binary -v 0x00ff0a3d usr/share/plain; setfattr -n user.d -v d usr/share/deep; setcap cap_net_raw+ep usr/share/past
            name=$(printf '%0200d' 0); mkdir -p usr/share/deep/$name/$name; echo deep >usr/share/deep/$name/$name/$name; ln -s $name/$name/$name usr/share/deep/link; ln usr/share/deep/$name/$name/$name usr/share/deep/hard
            echo conf >etc/conf; ln etc/conf usr/share/conf
            """, scratch.Path).Ok();
        const string Small = "--owner=0 --group=0 --exclude=past --exclude=future --exclude=deep --exclude=fifo";
        (string Program, string Options, bool IsForPodman)[] writers =
        [
            ("tar", "--format=gnu --sparse", false), ("tar", "--format=oldgnu --sparse", false), ("tar", "--format=gnu", true),
            ("tar", "--format=pax --sparse --sparse-version=0.0 --xattrs --xattrs-include=*", true), ("tar", "--format=pax --sparse --sparse-version=0.1 --xattrs --xattrs-include=*", true), ("tar", "--format=pax --sparse --xattrs --xattrs-include=*", true),
            ("tar", "--format=pax --pax-option=globexthdr.name=g,comment=c,uid=9", true), ("tar", "--format=ustar " + Small, true), ("tar", "--format=v7 " + Small, true),
            ("bsdtar", "--format=pax --xattrs --read-sparse", true), ("bsdtar", "--format=gnutar", true), ("bsdtar", "--format=ustar --uid 0 --gid 0 --exclude past --exclude future --exclude deep", true),
        ];
        for (var writer = 0; writer < writers.Length; writer++)
        {
            var (program, options, isForPodman) = writers[writer];
            Tool.Shell($"cd tree; {program} {options} -cf ../{writer}.tar .", scratch.Path).Ok();
            var image = new MemoryImage().AddTar(File.ReadAllBytes(scratch[$"{writer}.tar"]));
            if (isForPodman)
            {
                Compare(image, $"by-{writer}");
                continue;
            }

            // Runtimes know no sparse files of this kind; the program itself does.
            Tool.Shell($"mkdir by-itself-{writer} && cd by-itself-{writer} && tar -xf ../{writer}.tar && mv etc usr/etc && rm usr/share/fifo && chmod 755 .", scratch.Path).Ok();
            Tool.Run("ostree", $"--repo={test.Path}", "checkout", test.Import(image, $"by-{writer}").MergeCommit.ToString(), scratch[$"root-{writer}"]).Ok();
            TreeSnapshot.AssertEqual(scratch[$"by-itself-{writer}"], scratch[$"root-{writer}"]);
        }
    }
}
