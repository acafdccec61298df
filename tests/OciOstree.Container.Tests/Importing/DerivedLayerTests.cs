using OciOstree.Formats.Tar;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>What ordinary container layers become, and how they unite.</summary>
public sealed class DerivedLayerTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    private SortedDictionary<string, string> Import(params Action<TarWriter>[] layers) => ImportWith(null, out _, layers);

    private SortedDictionary<string, string> ImportWith(ImportOptions? options, out ImportedImage result, params Action<TarWriter>[] layers)
    {
        var image = new MemoryImage();
        foreach (var layer in layers)
        {
            image.AddTar(layer);
        }

        result = test.Import(image, options: options);
        test.RequireSound();
        return test.Tree(result.MergeCommit);
    }

    private static readonly ImportOptions OstreeRules = new() { TopLevels = TopLevelRules.Parse("*=drop") };

    [Fact]
    public void EtcMovesAndHardLinksFollow()
    {
        var tree = Import(tar =>
        {
            tar.Directory("etc");
            tar.File("etc/one", "1");
            tar.HardLink("etc/two", "etc/one");
            tar.HardLink("usr/three", "./etc/one");
            tar.HardLink("usr/four", "/etc/two");
            tar.Symlink("etc/link", "one");
        });
        Assert.Equal("f 644 0 1", tree["/usr/etc/one"]);
        Assert.Equal("f 644 0 1", tree["/usr/etc/two"]);
        Assert.Equal("f 644 0 1", tree["/usr/three"]);
        Assert.Equal("f 644 0 1", tree["/usr/four"]);
        Assert.Equal("l 777 one", tree["/usr/etc/link"]);
        Assert.DoesNotContain("/etc", tree.Keys);
    }

    [Fact]
    public void NamesMayStartWithDotsAndSlashes()
    {
        var tree = Import(tar =>
        {
            tar.Directory("./");
            tar.Directory("/usr/");
            tar.File("//usr/./lib//x", "x");
            tar.File("./usr/y", "y");
        });
        Assert.Equal(["/", "/usr", "/usr/lib", "/usr/lib/x", "/usr/y"], tree.Keys);
    }

    [Fact]
    public void TopLevelsAreKeptOrLeftOutByTheRules()
    {
        Action<TarWriter> layer = tar =>
        {
            foreach (var top in (string[])["run", "tmp", "proc", "sys", "dev", "opt", "var"])
            {
                tar.Directory(top, mode: 0x1c0);
                tar.File($"{top}/inside", top);
            }

            tar.File("run/inside2/deeper", "");
        };
        var tree = ImportWith(OstreeRules, out var image, layer);
        Assert.Equal(["/", "/dev", "/proc", "/run", "/sys", "/tmp", "/var", "/var/inside"], tree.Keys);
        Assert.Equal("d 700 0", tree["/run"]);
        Assert.Equal(
            [
                "Image contains non-ostree compatible file paths: inside: 5 inside2: 1 opt: 2",
                "Left out: run/inside, tmp/inside, proc/inside, sys/inside, dev/inside, opt, opt/inside, run/inside2/deeper (--toplevel chooses what is kept)",
            ],
            image.Dropped.Warnings());
    }

    [Fact]
    public void TopLevelsStayWhereTheRootIsTransient()
    {
        var tree = Import(tar => tar.File("opt/inside", "x"));
        Assert.Equal("f 644 0 x", tree["/opt/inside"]);
    }

    [Fact]
    public void VarMayGoToTheFactory()
    {
        var tree = ImportWith(new ImportOptions { TopLevels = TopLevelRules.Parse("var=factory") }, out _, tar => tar.File("var/lib/x", "x"));
        Assert.Equal("f 644 0 x", tree["/usr/share/factory/var/lib/x"]);
        Assert.DoesNotContain("/var", tree.Keys);
    }

    [Fact]
    public void WhiteoutsHideEveryKindOfThing()
    {
        var tree = Import(
            tar =>
            {
                tar.File("usr/file", "1");
                tar.File("usr/dir/inside/deep", "1");
                tar.Symlink("usr/link", "dir");
                tar.File("etc/gone", "1");
                tar.File("usr/kept", "1");
                tar.File("var/gone", "1");
            },
            tar =>
            {
                tar.File("usr/.wh.file");
                tar.File("usr/.wh.dir");
                tar.File("usr/.wh.link");
                tar.File("etc/.wh.gone");
                tar.File(".wh.var");
                tar.File("usr/.wh.never-was");
            });
        Assert.Equal(["/", "/usr", "/usr/etc", "/usr/kept"], tree.Keys);
    }

    [Fact]
    public void AWhiteoutHidesLowerLayersOnlyWhereverItStands()
    {
        var tree = Import(
            tar => tar.File("usr/x/old", "1"),
            tar =>
            {
                tar.File("usr/x/new", "2");
                tar.File("usr/.wh.x");
                tar.File("usr/y", "2");
                tar.File("usr/.wh.y");
            });
        Assert.Equal(["/", "/usr", "/usr/x", "/usr/x/new", "/usr/y"], tree.Keys);
    }

    [Fact]
    public void AnOpaqueDirectoryHidesAllBeneathIt()
    {
        var tree = Import(
            tar =>
            {
                tar.File("usr/x/a", "1");
                tar.File("usr/x/b/c", "1");
                tar.File("etc/d", "1");
            },
            tar =>
            {
                tar.Directory("usr/x", mode: 0x1c0);
                tar.File("usr/x/.wh..wh..opq");
                tar.File("usr/x/n", "2");
                tar.File("etc/.wh..wh..opq");
            });
        Assert.Equal(["/", "/usr", "/usr/etc", "/usr/x", "/usr/x/n"], tree.Keys);
        Assert.Equal("d 700 0", tree["/usr/x"]);
    }

    [Fact]
    public void AWhiteoutOfEtcHidesUsrEtc()
    {
        var tree = Import(tar => tar.File("etc/x", "1"), tar => tar.File(".wh.etc"), tar => tar.File("etc/y", "2"));
        Assert.Equal(["/", "/usr", "/usr/etc", "/usr/etc/y"], tree.Keys);
    }

    [Fact]
    public void KindsReplaceEachOther()
    {
        var tree = Import(
            tar =>
            {
                tar.File("usr/a/inside", "1");
                tar.Symlink("usr/b", "a");
                tar.File("usr/c", "1");
                tar.Symlink("usr/d", "c");
            },
            tar =>
            {
                tar.Symlink("usr/a", "c");
                tar.Directory("usr/b");
                tar.File("usr/b/inside", "2");
                tar.Directory("usr/c");
                tar.File("usr/d", "2");
            });
        Assert.Equal("l 777 c", tree["/usr/a"]);
        Assert.Equal("f 644 0 2", tree["/usr/b/inside"]);
        Assert.Equal("d 755 0", tree["/usr/c"]);
        Assert.Equal("f 644 0 2", tree["/usr/d"]);
        Assert.DoesNotContain("/usr/a/inside", tree.Keys);
    }

    [Fact]
    public void LaterEntriesOfALayerReplaceEarlierOnes()
    {
        var tree = Import(tar =>
        {
            tar.File("usr/x", "first");
            tar.File("usr/x", "second");
            tar.Directory("usr/y");
            tar.File("usr/y/inside", "1");
            tar.File("usr/y", "now a file");
            tar.Symlink("usr/z", "x");
            tar.Directory("usr/z");
            tar.File("usr/z/inside", "1");
            tar.Directory("usr/z", mode: 0x1c0, uid: 5);
        });
        Assert.Equal("f 644 0 second", tree["/usr/x"]);
        Assert.Equal("f 644 0 now a file", tree["/usr/y"]);
        Assert.Equal("d 700 5", tree["/usr/z"]);
        Assert.Equal("f 644 0 1", tree["/usr/z/inside"]);
    }

    [Fact]
    public void DirectoriesTakeTheirLastDescription()
    {
        var tree = Import(
            tar =>
            {
                tar.Directory("usr/x", mode: 0x1c0, uid: 7);
                tar.Directory("usr/y", mode: 0x1c0, uid: 7);
                tar.File("usr/x/before", "");
            },
            tar =>
            {
                tar.File("usr/x/after", ""); // implied: nothing is said about usr/x
                tar.Directory("usr/y", mode: 0x5ed);
            });
        Assert.Equal("d 700 7", tree["/usr/x"]);
        Assert.Equal("d 2755 0", tree["/usr/y"]);
    }

    [Fact]
    public void EntriesMayComeBeforeTheirParentsAndLinksBeforeTheirTargets()
    {
        var tree = Import(tar =>
        {
            tar.HardLink("usr/early", "usr/lib/late");
            tar.File("usr/lib/late", "x");
            tar.HardLink("usr/chain", "usr/early");
            tar.Directory("usr/lib", mode: 0x1c0);
        });
        Assert.Equal("f 644 0 x", tree["/usr/early"]);
        Assert.Equal("f 644 0 x", tree["/usr/chain"]);
        Assert.Equal("d 700 0", tree["/usr/lib"]);
    }

    [Fact]
    public void HardLinksReachAcrossLayers()
    {
        var tree = Import(
            tar =>
            {
                tar.File("usr/below", "below");
                tar.File("etc/conf", "conf");
            },
            tar =>
            {
                tar.HardLink("usr/above", "usr/below");
                tar.HardLink("usr/deep/new/conf", "etc/conf");
            });
        Assert.Equal("f 644 0 below", tree["/usr/above"]);
        Assert.Equal("f 644 0 conf", tree["/usr/deep/new/conf"]);
    }

    [Fact]
    public void HardLinksToWhatIsLeftOutKeepTheContent()
    {
        var tree = ImportWith(OstreeRules, out _, tar =>
        {
            tar.File("boot/vmlinuz", "kernel", mode: 0x1ed);
            tar.Symlink("opt/link", "target");
            tar.HardLink("opt/second", "boot/vmlinuz");
            tar.HardLink("usr/lib/vmlinuz", "boot/vmlinuz");
            tar.HardLink("usr/lib/again", "opt/second");
            tar.HardLink("usr/lib/link", "opt/link");
        });
        Assert.Equal("f 755 0 kernel", tree["/usr/lib/vmlinuz"]);
        Assert.Equal("f 755 0 kernel", tree["/usr/lib/again"]);
        Assert.Equal("l 777 target", tree["/usr/lib/link"]);
    }

    [Fact]
    public void AFileRewrittenThroughTheRepositoryLandsAtAllItsPaths()
    {
        const string Object = "sysroot/ostree/repo/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd.file";
        var tree = ImportWith(OstreeRules, out var image, tar =>
        {
            tar.File(Object, "rewritten", modified: 100);
            tar.HardLink("usr/bin/one", Object, modified: 100);
            tar.HardLink("etc/two", "/" + Object, modified: 100);
            tar.HardLink("usr/bin/three", "usr/bin/one", modified: 100);
        });
        Assert.Equal("f 644 0 rewritten", tree["/usr/bin/one"]);
        Assert.Equal("f 644 0 rewritten", tree["/usr/etc/two"]);
        Assert.Equal("f 644 0 rewritten", tree["/usr/bin/three"]);
        Assert.True(image.Dropped.IsEmpty);
    }

    [Fact]
    public void AFileRewrittenUnderItsNameInEtcLandsAtAllItsPaths()
    {
        const string Object = "sysroot/ostree/repo/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd.file";
        var tree = ImportWith(OstreeRules, out _, tar =>
        {
            tar.File("etc/first", "rewritten", modified: 100);
            tar.HardLink(Object, "etc/first", modified: 100);
            tar.HardLink("usr/bin/second", Object, modified: 100);
        });
        Assert.Equal("f 644 0 rewritten", tree["/usr/etc/first"]);
        Assert.Equal("f 644 0 rewritten", tree["/usr/bin/second"]);
    }

    [Fact]
    public void LinksToUnchangedObjectsOfTheBaseAreResolved()
    {
        var image = MemoryImage.FromArchive(Path.Combine(AppContext.BaseDirectory, "golden", "alpha-derived.ociarchive"));
        test.Import(image, "base");
        var config = Registry.ImageConfig.Parse(Registry.ImageSourceExtensions.ReadBlob(image, image.FetchManifest().Manifest.Config));
        var derived = new MemoryImage();
        foreach (var (key, value) in config.Labels)
        {
            derived.Labels[key] = value;
        }

        for (var layer = 0; layer < 10; layer++)
        {
            derived.AddBlob(image.Blob(layer), config.DiffIds[layer]);
        }

        derived.AddTar(tar =>
        {
            tar.HardLink("usr/bin/copy", "sysroot/ostree/repo/objects/0e/ace6a252cf00687eb4b6d8fda511805295cb5859a7ba5b868b32f3cd359f2a.file");
            tar.HardLink("usr/bin/copy2", "usr/bin/app");
        });
        var objects = test.Objects(test.Import(derived, "derived").MergeCommit);
        Assert.Equal("file 0eace6a252cf00687eb4b6d8fda511805295cb5859a7ba5b868b32f3cd359f2a", objects["/usr/bin/copy"]);
        Assert.Equal(objects["/usr/bin/app"], objects["/usr/bin/copy2"]);
    }

    [Fact]
    public void EmptyLeftoversOfBuildsGo()
    {
        var tree = Import(
            tar =>
            {
                tar.File("etc/hostname");
                tar.File("etc/resolv.conf");
                tar.File("etc/hosts");
            });
        Assert.Equal(["/usr/etc/hosts"], tree.Keys.Where(path => path.StartsWith("/usr/etc/", StringComparison.Ordinal)));
        tree = ImportWith(null, out _, tar =>
        {
            tar.File("etc/hostname", "mine");
            tar.Symlink("etc/resolv.conf", "../run/stub");
        });
        Assert.Equal("f 644 0 mine", tree["/usr/etc/hostname"]);
        Assert.Equal("l 777 ../run/stub", tree["/usr/etc/resolv.conf"]);
    }

    [Fact]
    public void SpecialFilesAreLeftOutAndNamed()
    {
        var tree = ImportWith(
            null,
            out var image,
            tar => tar.File("usr/pipe", "was a file"),
            tar =>
            {
                tar.Special("usr/null", TarEntryType.CharacterDevice);
                tar.Special("usr/disk", TarEntryType.BlockDevice);
                tar.Special("usr/pipe", TarEntryType.Fifo);
                tar.File("usr/kept", "");
            });
        Assert.Equal(["/", "/usr", "/usr/kept"], tree.Keys);
        Assert.Equal(3, image.Dropped.SpecialFileCount);
        Assert.Equal(["usr/null", "usr/disk", "usr/pipe"], image.Dropped.SpecialFiles);
        Assert.Contains("usr/null", Assert.Single(image.Dropped.Warnings()), StringComparison.Ordinal);
    }

    [Fact]
    public void XattrsOfContentStayAndThoseOfTheBuildMachineGo()
    {
        TarXattr X(string name, params byte[] value) => new(System.Text.Encoding.UTF8.GetBytes(name), value);
        var tree = Import(tar => tar.File("usr/x", "x", xattrs:
        [
            X("security.capability", 1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            X("security.selinux", [.. "system_u:object_r:container_file_t:s0"u8]),
            X("user.binary", 0, 255, 10),
            X("user.empty"),
            X("trusted.overlay.origin", 1),
        ]));
        Assert.Equal("f 644 0 x security.capability=0100000200200000000000000000000000000000 user.binary=00ff0a", tree["/usr/x"]);
    }

    [Fact]
    public void OwnersBeyondSmallNumbersAndOddModesStay()
    {
        var tree = Import(tar =>
        {
            tar.File("usr/big-owner", "", uid: int.MaxValue);
            tar.File("usr/suid", "", mode: 0x9ed);
        });
        Assert.Equal($"f 644 {int.MaxValue} ", tree["/usr/big-owner"]);
        Assert.Equal("f 4755 0 ", tree["/usr/suid"]);
    }

    [Fact]
    public void TheSameLayerTwiceIsFetchedOnceAndAppliedTwice()
    {
        var image = new MemoryImage();
        image.AddTar(tar => tar.File("usr/x", "1"));
        image.AddTar(tar => tar.File("usr/x", "2"));
        image.AddBlob(image.Blob(0), image.DiffId(0));
        var result = test.Import(image);
        Assert.Equal("f 644 0 1", test.Tree(result.MergeCommit)["/usr/x"]);
        Assert.Equal(3, image.Opened.Count);
    }

    [Fact]
    public void HiddenPieceByPieceAndThenAsAWholeIsHidden()
    {
        // Some builders put a whiteout for each file of a directory that is gone, and one for the directory.
        var tree = Import(
            tar =>
            {
                tar.File("usr/x/deep/a", "1");
                tar.File("usr/y/a", "1");
                tar.File("usr/z/a", "1");
                tar.File("usr/w/a", "1");
            },
            tar =>
            {
                tar.File("usr/x/deep/.wh.a");
                tar.File("usr/.wh.x");
                tar.File("usr/y/.wh.a");
                tar.File("usr/.wh.y");
                tar.File("usr/y", "now a file");
                tar.Directory("usr/z", mode: 0x1c0);
                tar.File("usr/.wh.z");
                tar.File("usr/w", "now a file");
                tar.File("usr/w/.wh.a");
            });
        Assert.Equal(["/", "/usr", "/usr/w", "/usr/y", "/usr/z"], tree.Keys);
        Assert.Equal("d 700 0", tree["/usr/z"]);
    }

    [Fact]
    public void AnImageWhoseLayersWereMadeOneIsReadAsAnyOther()
    {
        const string Object = "sysroot/ostree/repo/objects/ab/cdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd.file";
        var image = new MemoryImage().AddTar(tar =>
        {
            tar.File("etc/conf", "c", modified: 0);
            tar.File(Object, "content", modified: 0);
            tar.File("sysroot/ostree/repo/config", "[core]");
            tar.HardLink("usr/bin/tool", Object, modified: 0);
        });
        image.Labels["ostree.final-diffid"] = Registry.Digest.Compute("a layer that is gone"u8).ToString();
        var result = test.Import(image);
        Assert.Contains("squashed", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Equal(["/", "/usr", "/usr/bin", "/usr/bin/tool", "/usr/etc", "/usr/etc/conf"], test.Tree(result.MergeCommit).Keys);
    }

    [Fact]
    public void TheBooksOfAufsAreNoContent()
    {
        var tree = Import(tar =>
        {
            tar.Directory(".wh..wh.plnk");
            tar.File(".wh..wh.plnk/1.2", "x");
            tar.File(".wh..wh.aufs");
            tar.File("usr/.wh..wh.orph/x", "x");
            tar.File("usr/x", "x");
        });
        Assert.Equal(["/", "/usr", "/usr/x"], tree.Keys);
    }

    [Fact]
    public void FilesThatAufsKeepsInItsBooksHaveTheirContent()
    {
        var tree = ImportWith(OstreeRules, out var image, tar =>
        {
            tar.Directory(".wh..wh.plnk");
            tar.File(".wh..wh.plnk/12.34", "linked", mode: 0x1ed);
            tar.HardLink("usr/one", ".wh..wh.plnk/12.34");
            tar.HardLink("usr/two", "/.wh..wh.plnk/12.34");
        });
        Assert.Equal(["/", "/usr", "/usr/one", "/usr/two"], tree.Keys);
        Assert.Equal("f 755 0 linked", tree["/usr/two"]);
        Assert.True(image.Dropped.IsEmpty);
    }

    [Fact]
    public void OtherNamesOfSpecialFilesAreLeftOutToo()
    {
        var tree = ImportWith(
            OstreeRules,
            out var image,
            tar => tar.File("usr/again", "was a file"),
            tar =>
            {
                tar.HardLink("etc/early3", "etc/early2");
                tar.HardLink("etc/early2", "usr/early");
                tar.HardLink("usr/early", "usr/pipe");
                tar.Special("usr/pipe", TarEntryType.Fifo);
                tar.HardLink("usr/again", "usr/pipe");
                tar.HardLink("usr/third", "usr/again");
                tar.Special("dev/null", TarEntryType.CharacterDevice);
                tar.HardLink("usr/null", "dev/null");
                tar.Special("usr/now", TarEntryType.Fifo);
                tar.File("usr/now", "a file");
                tar.HardLink("usr/now-linked", "usr/now");
            });
        Assert.Equal(["/", "/dev", "/usr", "/usr/etc", "/usr/now", "/usr/now-linked"], tree.Keys.Append("/dev").Distinct().Order(StringComparer.Ordinal));
        Assert.Equal("f 644 0 a file", tree["/usr/now-linked"]);
        Assert.Equal(8, image.Dropped.SpecialFileCount);
        Assert.Equal(["usr/pipe", "usr/again", "usr/third", "usr/null", "usr/now"], image.Dropped.SpecialFiles);
    }

    [Fact]
    public void AWhiteoutHidesANameAsLongAsNamesAre()
    {
        string name = new('n', 255), wide = string.Concat(Enumerable.Repeat("日", 85));
        var tree = Import(
            tar =>
            {
                tar.File($"usr/{name}");
                tar.File($"etc/{wide}");
                tar.File("usr/kept");
            },
            tar =>
            {
                tar.File($"usr/.wh.{name}");
                tar.File($"etc/.wh.{wide}");
            });
        Assert.Equal(["/", "/usr", "/usr/etc", "/usr/kept"], tree.Keys);
    }

    [Fact]
    public void LinksMayLeadToWhatTheirLayerHides()
    {
        var tree = Import(
            tar =>
            {
                tar.File("usr/a", "a");
                tar.File("usr/d/b", "b");
            },
            tar =>
            {
                tar.HardLink("usr/x", "usr/a");
                tar.File("usr/.wh.a");
                tar.File("usr/.wh.d");
                tar.HardLink("usr/y", "usr/d/b");
            });
        Assert.Equal(["/", "/usr", "/usr/x", "/usr/y"], tree.Keys);
        Assert.Equal("f 644 0 a", tree["/usr/x"]);
        Assert.Equal("f 644 0 b", tree["/usr/y"]);
    }

    [Fact]
    public void ChainsOfLinksMayBeLong()
    {
        var tree = Import(
            tar => tar.File("usr/below", "below"),
            tar =>
            {
                for (var i = 0; i < 2000; i++)
                {
                    tar.HardLink($"usr/{i}", i < 1999 ? $"usr/{i + 1}" : "usr/below");
                    tar.HardLink($"usr/own-{i}", i < 1999 ? $"usr/own-{i + 1}" : "usr/own");
                }

                tar.File("usr/own", "own");
            });
        Assert.Equal(2000, tree.Values.Count(line => line == "f 644 0 below") - 1);
        Assert.Equal(2000, tree.Values.Count(line => line == "f 644 0 own") - 1);
    }
}
