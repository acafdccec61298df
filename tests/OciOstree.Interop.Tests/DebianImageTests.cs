namespace OciOstree.Interop.Tests;

/// <summary>
/// What people do to an operating system in Containerfiles: packages come, change and go, configuration is rewritten, directories become links and the reverse.
/// The base is our own image of a Debian; the imported tree is compared, path by path, with what the engine shows of the same image.
/// </summary>
public sealed class DebianImageTests : IDisposable
{
    private readonly ScratchDirectory scratch = new("debian-image");
    private readonly ContainerEngine engine;

    public DebianImageTests() => engine = new ContainerEngine(scratch);

    public void Dispose()
    {
        engine.Dispose();
        scratch.Dispose();
    }

    [Fact]
    public void WhatContainerfilesDoToADebianIsWhatTheirEngineShows()
    {
        MakeBase();
        MakePackages();
        // One engine builds on the image, and the other on what came of that.
        string first = scratch.Write("context/Containerfile.first", $"""
            FROM oci:{scratch["base"]}:1
            COPY apt /usr/share/apt-of-the-test
            COPY setcap /usr/sbin/
            RUN sh -e /usr/share/apt-of-the-test/setup && apt-get install -y probe=1.0 probe-extra
            RUN apt-get purge -y ca-certificates && rm -rf /usr/share/ca-certificates
            """);
        engine.Podman("build", "--quiet", "--isolation=chroot", "--tag=localhost/first", "--file=" + first, scratch["context"]).Ok();
        engine.Build(
            scratch.Write("context/Containerfile", """
            FROM localhost/first AS tools
            RUN mkdir -p /out/bin /out/etc && cp -a /usr/bin/env /out/bin/ && ln /out/bin/env /out/bin/environment && ln -s bin /out/link && chmod 2755 /out/bin && echo built >/out/etc/built

            FROM localhost/first
            COPY --from=tools /out /usr/lib/tools
            COPY --from=tools --chown=12:34 /out/etc /etc/tools
            RUN apt-get install -y probe && apt-get remove -y probe-extra && rm -rf /usr/share/apt-of-the-test /var/lib/apt/lists /var/cache/apt /var/log/*
            RUN sed -i 's/^/# /' /etc/adduser.conf && echo more >>/etc/bash.bashrc && rm /etc/deluser.conf && chmod 640 /etc/login.defs && chown 5:6 /etc/profile && mv /etc/gai.conf /etc/gai.moved
            RUN ln /etc/profile /etc/profile.again && ln /etc/profile /usr/share/profile && cp --remove-destination /etc/debian_version /etc/issue
            RUN setcap cap_net_raw+ep /usr/bin/touch && setcap cap_net_bind_service+ep /usr/bin/probe && chmod 4711 /usr/bin/probe-run && ln /usr/bin/touch /usr/bin/touch-again
            RUN rm -rf /usr/share/bash-completion && ln -s perl5 /usr/share/bash-completion && rm -rf /usr/share/zsh && echo 'a file now' >/usr/share/zsh
            RUN rm /usr/share/bash-completion && mkdir -m 1770 /usr/share/bash-completion && touch /usr/share/bash-completion/anew && rm /usr/share/zsh && mkdir -p /usr/share/zsh/again
            RUN rm -rf /usr/share/menu /usr/share/perl5/Debian && mkdir /usr/share/menu && touch /usr/share/menu/only && chown -R 7:8 /usr/share/menu
            RUN chmod 0700 /usr/share/doc && chmod 2775 /usr/share/info && chown 0:50 /usr/share/info && touch -d 2001-01-01 /usr/bin/env && chown -h 9:9 /usr/bin/awk
            RUN mkdir -p /var/opt/app /srv.d && echo x >/var/opt/app/x && echo x >/srv.d/x && mkfifo /usr/lib/pipe && echo x >/run/left && echo x >/tmp/left
            RUN rm -rf /var/lib/systemd && mkdir -p "/usr/share/ünï/$(printf '%0200d' 0)" && printf '\0\377' >"/usr/share/ünï/日本 $(printf '\t')"
            COPY oci-ostree /usr/sbin/oci-ostree
            RUN oci-ostree container commit && rm /usr/sbin/oci-ostree
            """),
            $"oci:{scratch["built"]}:1");

        Tool.Run("ostree", "init", "--repo=" + scratch["repo"], "--mode=bare").Ok();
        ToolResult pulled = OurProgram.Run("container", "image", "pull", "--quiet", scratch["repo"], $"ostree-unverified-image:oci:{scratch["built"]}:1").Ok();
        Assert.Contains("srv.d: 2", pulled.Error);
        Assert.Contains("usr/lib/pipe", pulled.Error);
        Tool.Run("ostree", "fsck", "--quiet", "--repo=" + scratch["repo"]).Ok();
        Tool.Run("ostree", "checkout", "--repo=" + scratch["repo"], pulled.OutputLine.Split(" => ")[1], scratch["checkout"]).Ok();

        Directory.CreateDirectory(scratch["checkout"]);
        engine.WithMounted("localhost/built", mounted =>
        {
            // By the rules, and but for the root's own mode, which is the engine's: /etc is /usr/etc, what a boot mounts is empty, unknown top levels and fifos are left out, and so are empty files where the engine mounted its own.
            Tool.Shell("""
                rm -rf run/* tmp/* dev/* proc/* sys/* sysroot/* srv.d usr/lib/pipe
                mv etc usr/etc; chmod 755 .
                for file in usr/etc/hostname usr/etc/resolv.conf; do [ -s $file ] || rm -f $file; done
                """, mounted).Ok();
            TreeSnapshot.AssertEqual(mounted, scratch["checkout"]);
        });

        // That the comparison was about something.
        Assert.Equal("/usr/bin/touch cap_net_raw=ep", Tool.Shell("getcap usr/bin/touch | sed 's,^,/,'", scratch["checkout"]).Ok().OutputLine);
        Assert.Equal(["2.0", "deinstall ok config-files"], Tool.Run(
            "dpkg-query", "--admindir=" + scratch["checkout/usr/lib/sysimage/dpkg"], "-W", "-f", "${Version}\\n", "probe").OutputLines
            .Concat(Tool.Run("dpkg-query", "--admindir=" + scratch["checkout/usr/lib/sysimage/dpkg"], "-W", "-f", "${Status}\\n", "probe-extra").OutputLines));
    }

    /// <summary>The Debian without what only a boot needs, in few layers, for a quick engine.</summary>
    private void MakeBase()
    {
        string tree = DebianTree.Path();
        scratch.Write("skip", string.Concat(
            Directory.GetDirectories(Path.Combine(tree, "usr/lib/modules")).SelectMany(directory => new[] { "kernel", "initramfs.img" }.Select(name => $"{directory[tree.Length..]}/{name}\n"))
                .Append("/usr/lib/udev/hwdb.bin\n").Append("/usr/lib/udev/hwdb.d\n")));
        OurProgram.Run("init", "--repo=" + scratch["build"], "--mode=bare").Ok();
        OurProgram.Run("commit", "--repo=" + scratch["build"], "--branch=os", "--skip-list=" + scratch["skip"], "--tree=dir=" + tree).Ok();
        OurProgram.Run("container", "encapsulate", "--quiet", "--repo=" + scratch["build"], "--max-layers=8", "--compression=none", "os", $"oci:{scratch["base"]}:1").Ok();
        Tool.Shell($"mkdir context; cp /usr/sbin/setcap context/; cp -L '{OurProgram.Path()}' context/oci-ostree", scratch.Path).Ok();
    }

    /// <summary>Packages in a repository that apt reads from a directory: two versions of one, with all that the maintainers of others do.</summary>
    private void MakePackages() => Tool.Shell("""
        mkdir -p context/apt; cd context/apt
        package() { # NAME VERSION, with its tree in ./tree
          mkdir -p tree/DEBIAN
          printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: T <t@example.org>\nDescription: test\n' $1 $2 >tree/DEBIAN/control
          dpkg-deb --root-owner-group -Zgzip --build tree $1-$2.deb >/dev/null
          { dpkg-deb -f $1-$2.deb; echo "Filename: ./$1-$2.deb"; echo "Size: $(stat -c %s $1-$2.deb)"; echo "SHA256: $(sha256sum <$1-$2.deb | cut -d' ' -f1)"; echo; } >>Packages
          rm -rf tree
        }
        mkdir -p tree/usr/bin tree/usr/share/probe/docs tree/etc/probe.d tree/DEBIAN
        echo '#!/bin/sh' | tee tree/usr/bin/probe tree/usr/bin/probe-run >tree/usr/bin/probe-gone; chmod 4755 tree/usr/bin/probe; chmod 755 tree/usr/bin/probe-run
        echo one >tree/usr/share/probe/docs/one; echo one >tree/etc/probe.conf; echo one >tree/etc/probe.d/kept; ln -s probe tree/usr/bin/probe-link
        printf '/etc/probe.conf\n/etc/probe.d/kept\n' >tree/DEBIAN/conffiles
        printf '#!/bin/sh\nset -e\nif [ "$1" = configure ] && ! getent group probe >/dev/null; then groupadd --system probe; fi\nmkdir -p /var/lib/probe; chgrp probe /var/lib/probe /usr/bin/probe; chmod 2755 /usr/bin/probe\nupdate-alternatives --install /usr/bin/prober prober /usr/bin/probe 10\n' >tree/DEBIAN/postinst
        chmod 755 tree/DEBIAN/postinst
        package probe 1.0
        mkdir -p tree/usr/bin tree/usr/share/probe/documents tree/usr/share/probe/data tree/etc/probe.d tree/DEBIAN
        echo '#!/bin/sh -e' | tee tree/usr/bin/probe >tree/usr/bin/probe-run; mkdir tree/usr/bin/probe-gone.d
        echo two >tree/usr/share/probe/documents/two; ln -s documents tree/usr/share/probe/link; echo two >tree/etc/probe.conf; echo one >tree/etc/probe.d/kept
        printf '/etc/probe.conf\n/etc/probe.d/kept\n' >tree/DEBIAN/conffiles
        package probe 2.0
        mkdir -p tree/usr/share/probe-extra tree/etc tree/DEBIAN; for i in 1 2 3; do echo $i >tree/usr/share/probe-extra/$i; done; echo extra >tree/etc/probe-extra.conf
        echo /etc/probe-extra.conf >tree/DEBIAN/conffiles
        package probe-extra 1.0
        cat >setup <<'S'
        echo 'deb [trusted=yes] file:/usr/share/apt-of-the-test ./' >/etc/apt/sources.list
        rm -rf /etc/apt/sources.list.d
        printf 'APT::Sandbox::User "root";\nDPkg::Options {"--force-confnew";};\n' >/etc/apt/apt.conf.d/99test
        apt-get update
        S
        """, scratch.Path).Ok();
}
