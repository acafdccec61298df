using System.Text;

namespace OciOstree.Container.Tests;

public sealed class PackageTextTests
{
    [Fact]
    public void Dpkg_tells_what_is_installed()
    {
        Assert.Equal(
            [new Package(PackageKind.Deb, "bash", "5.2-1", "amd64"), new Package(PackageKind.Deb, "tzdata", "1:2026a", "all"), new Package(PackageKind.Deb, "distroless", "1", "")],
            PackageText.ReadDpkg(Stream("""
                Package: bash
                Status: install ok installed
                Architecture: amd64
                Version: 5.2-1
                Description: shell
                 Version: 9 (a line of the description)

                Package: gone
                Status: deinstall ok config-files
                Version: 1

                Package: tzdata
                Version: 1:2026a
                Architecture: all
                Status: hold ok installed

                package: distroless
                version: 1
                """)));
    }

    [Fact]
    public void The_dpkg_of_this_machine_agrees()
    {
        string[] expected = [.. Tool.Run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version} (${Architecture})\n").Ok().Output.Split('\n').Where(line => line.StartsWith("installed ", StringComparison.Ordinal)).Select(line => line["installed ".Length..]).Order(StringComparer.Ordinal)];
        using FileStream status = File.OpenRead("/var/lib/dpkg/status");
        Assert.Equal(expected, PackageText.ReadDpkg(status).Select(package => package.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Apk_tells_what_is_installed()
    {
        Assert.Equal(
            [new Package(PackageKind.Apk, "musl", "1.2.5-r1", "x86_64"), new Package(PackageKind.Apk, "busybox", "1.37.0-r9", "x86_64")],
            PackageText.ReadApk(Stream("C:Q1abc=\nP:musl\nV:1.2.5-r1\nA:x86_64\nS:400\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\n\nP:busybox\nV:1.37.0-r9\nA:x86_64\n")));
    }

    [Fact]
    public void Pacman_agrees_with_the_real_one()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("var/lib/pacman/local/ALPM_DB_VERSION", "9\n");
        scratch.Write("var/lib/pacman/local/bash-5.2-1/desc", "%NAME%\nbash\n\n%VERSION%\n5.2-1\n\n%BASE%\nbash\n\n%DESC%\nA shell\n\n%ARCH%\nx86_64\n\n");
        scratch.Write("var/lib/pacman/local/linux-1:6.9-2/desc", "%NAME%\nlinux\n\n%VERSION%\n1:6.9-2\n\n%ARCH%\nx86_64\n\n");
        using RootTree tree = RootTree.FromDirectory(scratch.Path);
        string real = Tool.Run("pacman", "-Q", "--dbpath", scratch["var/lib/pacman"]).Ok().Output;
        Assert.Equal(real, string.Concat(PackageDatabases.Read(tree).Select(package => $"{package.Name} {package.Version}\n")));
        Assert.All(PackageDatabases.Read(tree), package => Assert.Equal(PackageKind.Pacman, package.Kind));
    }

    [Theory]
    [InlineData("<html>\n")]
    [InlineData("\0\0\0\0\n")]
    public void What_is_no_database_is_told(string text)
    {
        Assert.Throws<PackageDatabaseException>(() => PackageText.ReadDpkg(Stream(text)).ToList());
        Assert.Throws<PackageDatabaseException>(() => PackageText.ReadApk(Stream(text)).ToList());
        Assert.Throws<PackageDatabaseException>(() => PackageText.ReadPacman(Stream(text)));
    }

    [Fact]
    public void A_line_without_an_end_is_not_kept() =>
        Assert.Throws<PackageDatabaseException>(() => PackageText.ReadDpkg(new MemoryStream(new byte[4 << 20])).ToList());

    [Fact]
    public void Changes_are_told_by_name()
    {
        Package[] old = [P("same", "1"), P("up", "1"), P("gone", "1"), P("kernel", "5"), P("kernel", "6"), P("multi", "1", "i386")];
        Package[] now = [P("same", "1"), P("up", "2"), P("new", "1"), P("kernel", "6"), P("kernel", "7"), P("kernel", "8"), P("multi", "1", "amd64")];
        PackageChanges changes = PackageChanges.Between(old, now);
        Assert.Equal([new PackageUpdate(P("up", "1"), P("up", "2"))], changes.Updated);
        Assert.Equal(["kernel 7 (amd64)", "kernel 8 (amd64)", "multi 1 (amd64)", "new 1 (amd64)"], changes.Added.Select(package => package.ToString()));
        Assert.Equal(["gone 1 (amd64)", "kernel 5 (amd64)", "multi 1 (i386)"], changes.Removed.Select(package => package.ToString()));
    }

    [Theory]
    [InlineData("var/lib/dpkg/status", true)]
    [InlineData("usr/share/rpm/rpmdb.sqlite", true)]
    [InlineData("usr/lib/sysimage/rpm/rpmdb.sqlite-wal", true)]
    [InlineData("lib/apk/db/installed", true)]
    [InlineData("var/lib/pacman/local/bash-5/desc", true)]
    [InlineData("var/lib/dpkg/status.d/base", true)]
    [InlineData("var/lib/dpkg/status-old", false)]
    [InlineData("var/lib/dpkg/info/status", false)]
    [InlineData("var/lib/pacman/local/bash-5/files", false)]
    [InlineData("home/var/lib/dpkg/status", false)]
    [InlineData("status", false)]
    public void Databases_are_known_by_their_place(string path, bool expected) => Assert.Equal(expected, PackageDatabases.IsPart(path));

    private static Package P(string name, string version, string architecture = "amd64") => new(PackageKind.Deb, name, version, architecture);

    private static MemoryStream Stream(string text) => new(Encoding.UTF8.GetBytes(text));
}
