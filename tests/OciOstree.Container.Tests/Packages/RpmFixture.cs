using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace OciOstree.Container.Tests;

/// <summary>A root with packages that the real rpm installed, made once.</summary>
public sealed class RpmFixture : IDisposable
{
    private readonly ScratchDirectory scratch = new("rpm");

    public RpmFixture()
    {
        var spec = new StringBuilder("""
            Name: alpha
            Version: 1.0
            Release: 1
            Summary: a
            License: none
            %description
            %install
            mkdir -p %{buildroot}/usr/bin %{buildroot}/usr/lib/many
            echo a > %{buildroot}/usr/bin/alpha
            for i in $(seq 0 39); do echo $i > %{buildroot}/usr/lib/many/f$i; done
            %files
            /usr/bin/alpha
            %post
            true

            """);
        for (int i = 0; i < 40; i++)
        {
            // Long descriptions need more than a page of the database.
            spec.Append(CultureInfo.InvariantCulture, $"%package -n many{i}\nSummary: m\nBuildArch: noarch\nVersion: {i}.{i}\n{(i % 3 == 0 ? "Epoch: 2\n" : "")}%description -n many{i}\n");
            spec.AppendJoin('\n', Enumerable.Range(0, i * 40).Select(n => $"{n * 7919 % 1000} of {i}")).Append(CultureInfo.InvariantCulture, $"\n%files -n many{i}\n/usr/lib/many/f{i}\n");
        }

        scratch.Write("packages.spec", spec.ToString());
        Tool.Shell("""
            rpmbuild -bb --define "_topdir $PWD/build" --define "_build_id_links none" --define "__os_install_post true" packages.spec >log 2>&1 || { cat log; exit 1; }
            mkdir root && cd root && for package in ../build/RPMS/*/*.rpm; do rpm2cpio $package | cpio -idm --quiet; done && cd ..
            rpm --root "$PWD/root" --define "_db_backend sqlite" --dbpath /usr/lib/sysimage/rpm -i --justdb --nodeps --nosignature --force-debian build/RPMS/*/*.rpm
            """, scratch.Path).Ok();
    }

    public string Root => scratch["root"];

    public string Database => scratch["root/usr/lib/sysimage/rpm/rpmdb.sqlite"];

    public string Rpm(string arguments) =>
        Tool.Shell($"rpm --root '{Root}' --define '_db_backend sqlite' --dbpath /usr/lib/sysimage/rpm {arguments}").Ok().Output;

    /// <summary>The headers as the database has them.</summary>
    public IReadOnlyList<byte[]> Blobs()
    {
        using FileStream database = File.OpenRead(Database);
        return [.. new SqliteFile(database).ReadTable("Packages").Select(row => (byte[])row[1]!)];
    }

    /// <summary>The same packages in rpm's own form, which Debian's rpm is built without: laid out as rpm's source says.</summary>
    public byte[] Ndb()
    {
        const int Page = 4096;
        var file = new MemoryStream();
        file.SetLength(Page);
        var slots = new byte[Page];
        Put(slots, 0, 0x506d7052, 0, 1, 1, (uint)Blobs().Count + 1);
        int slot = 32;
        uint index = 1;
        for (int i = slot; i < Page; i += 16)
        {
            Put(slots, i, 0x746f6c53);
        }

        file.Position = Page;
        foreach (byte[] blob in Blobs())
        {
            uint blocks = (uint)((16 + blob.Length + 12 + 15) / 16);
            Put(slots, slot, 0x746f6c53, index, (uint)(file.Position / 16), blocks);
            slot += 16;
            var bytes = new byte[blocks * 16];
            Put(bytes, 0, 0x53626c42, index++, 1, (uint)blob.Length);
            blob.CopyTo(bytes, 16);
            Put(bytes, bytes.Length - 12, 0, (uint)blob.Length, 0x45626c42);
            file.Write(bytes);
        }

        file.Position = 0;
        file.Write(slots);
        return file.ToArray();

        static void Put(byte[] bytes, int at, params ReadOnlySpan<uint> values)
        {
            foreach (uint value in values)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), value);
                at += 4;
            }
        }
    }

    /// <summary>The same packages in a hash table that the real Berkeley DB makes.</summary>
    public byte[] Berkeley(string byteOrder = "1234")
    {
        var dump = new StringBuilder($"VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder={byteOrder}\ndb_pagesize=4096\nHEADER=END\n");
        uint number = 0;
        Record(number++, [41, 0, 0, 0]);
        foreach (byte[] blob in Blobs())
        {
            Record(number++, blob);
        }

        dump.Append("DATA=END\n");
        scratch.Write("dump", dump.ToString());
        File.Delete(scratch["Packages"]);
        Tool.Run("db5.3_load", "-f", scratch["dump"], scratch["Packages"]).Ok();
        return File.ReadAllBytes(scratch["Packages"]);

        void Record(uint key, byte[] value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, key);
            dump.Append(' ').Append(Convert.ToHexStringLower(bytes)).Append("\n ").Append(Convert.ToHexStringLower(value)).Append('\n');
        }
    }

    public void Dispose() => scratch.Dispose();
}
