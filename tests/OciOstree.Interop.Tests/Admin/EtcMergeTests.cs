using System.Globalization;
using System.Text;

namespace OciOstree.Interop.Tests.Admin;

/// <summary>Random trees, random edits: the merge of <c>/etc</c> gives what the real program's gives, and refuses what it refuses.</summary>
public sealed class EtcMergeTests : IDisposable
{
    private static readonly string[] Names = ["a", "b", "c", "d"];
    private readonly ScratchDirectory scratch = new("etc");

    public void Dispose()
    {
        Tool.Shell($"chattr -f -i {scratch.Path}/*/ostree/deploy/*/deploy/*.[0-9] || true");
        scratch.Dispose();
    }

    [Theory]
    [MemberData(nameof(RandomSequences.Seeds), MemberType = typeof(RandomSequences))]
    public void Both_programs_merge_alike(int seed)
    {
        var random = new Random(seed);
        // Some of the sequences may run into what neither program merges.
        bool mayClash = seed % 4 == 0;
        Tool.Shell("""
            ostree init --mode=bare --repo=repo
            mkdir -p v1/usr/lib/modules/6.1.0 v1/sysroot v1/boot v1/var v1/usr/etc
            echo kernel > v1/usr/lib/modules/6.1.0/vmlinuz; echo initrd > v1/usr/lib/modules/6.1.0/initramfs.img; echo ID=os > v1/usr/lib/os-release
            """, scratch.Path).Ok();
        // Twenty small trees in one: each has its own history.
        const int parts = 20;
        string defaults = Script(parts, part => Grow(random, "", depth: 0));
        string changes = Script(parts, part => Change(random, mayClash, upstream: true));
        string edits = Script(parts, part => Change(random, mayClash, upstream: false));
        Tool.Shell($"cd v1/usr/etc; {defaults}\ncd ../../..; cp -a v1 v2; cd v2/usr/etc; {changes}\n", scratch.Path).Ok();
        foreach (string version in (string[])["v1", "v2"])
        {
            Tool.Run("ostree", "commit", $"--repo={scratch["repo"]}", "-b", version, $"--tree=dir={scratch[version]}").Ok();
        }

        var codes = new List<int>();
        string said = "";
        foreach ((string name, AdminProgram program) in new[] { ("real", AdminProgram.Real), ("ours", AdminProgram.Ours) })
        {
            string root = scratch.MakeDirectory(name);
            program.Run("init-fs", "--modern", root).Ok();
            program.Run("os-init", $"--sysroot={root}", "os").Ok();
            Tool.Run("ostree", "pull-local", $"--repo={root}/ostree/repo", scratch["repo"], "v1", "v2").Ok();
            program.Run("deploy", $"--sysroot={root}", "--os=os", "v1").Ok();
            Tool.Shell($"cd {root}/ostree/deploy/os/deploy/*.0/etc; {edits}\n").Ok();
            ToolResult result = program.Run("deploy", $"--sysroot={root}", "--os=os", "v2");
            codes.Add(result.ExitCode);
            said += $"{name}: {result.Error}";
        }
        string story = $"\n{said}\ndefaults:\n{defaults}\nnew defaults:\n{changes}\nedits:\n{edits}";
        if (codes is [1, 0] && said.Contains("unlinkat(", StringComparison.Ordinal) && said.Contains("Not a directory", StringComparison.Ordinal))
        {
            // Removed here, and below what is a file in the new tree: the real program stumbles over it, ours has nothing left to remove.
            return;
        }
        Assert.True(codes[0] == codes[1], $"exit codes {codes[0]} and {codes[1]}{story}");
        if (codes[0] != 0)
        {
            Assert.True(mayClash, $"refused{story}");
            return;
        }
        string[] real = Merged("real"), ours = Merged("ours");
        Assert.True(real.SequenceEqual(ours), $"{string.Join('\n', real.Except(ours).Select(l => "real " + l).Concat(ours.Except(real).Select(l => "ours " + l)).Take(20))}{story}");
        Assert.True(real.Length > parts);
    }

    private string[] Merged(string name) => Tool.Shell($"""
        cd {scratch[name]}/ostree/deploy/os/deploy/$(ostree rev-parse --repo={scratch["repo"]} v2).0/etc
        find . -printf '%p %y %m %U %G %l\n' | LC_ALL=C sort
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0r md5sum
        """).Ok().OutputLines;

    private static string Script(int parts, Func<int, string> part)
    {
        var script = new StringBuilder("set -e\n");
        for (int i = 0; i < parts; i++)
        {
            script.Append(CultureInfo.InvariantCulture, $"mkdir -p p{i}; ( cd p{i}\n{part(i)}); true\n");
        }
        return script.ToString();
    }

    private static string Grow(Random random, string at, int depth)
    {
        var script = new StringBuilder();
        foreach (string name in Names)
        {
            string path = at + name;
            _ = random.Next(depth < 2 ? 6 : 4) switch
            {
                0 or 1 => script.Append(CultureInfo.InvariantCulture, $"echo {random.Next(3)} > {path}\n"),
                2 => script.Append(CultureInfo.InvariantCulture, $"ln -s {random.Next(3)} {path}\n"),
                4 or 5 => script.Append(CultureInfo.InvariantCulture, $"mkdir {path}; chmod {(random.Next(2) == 0 ? "755" : "750")} {path}\n{Grow(random, path + "/", depth + 1)}"),
                _ => script,
            };
        }
        return script.ToString();
    }

    /// <summary>
    /// What an administrator or a new version does. Left out are the points where ours goes further: extended attributes, the modes of directories alone, and odd files in the place
    /// of defaults; and, unless wanted, what makes files of directories, which may not be merged.
    /// </summary>
    private static string Change(Random random, bool mayClash, bool upstream)
    {
        var script = new StringBuilder();
        for (int i = random.Next(4); i > 0; i--)
        {
            string path = Names[random.Next(Names.Length)];
            for (int depth = random.Next(3); depth > 0; depth--)
            {
                path += "/" + Names[random.Next(Names.Length)];
            }
            string parent = path.Contains('/') ? path[..path.LastIndexOf('/')] : ".";
            string isFile = $"[ -d {parent} -a ! -d {path} ]";
            string line = random.Next(mayClash ? 13 : 11) switch
            {
                0 or 1 => $"! {isFile} || {{ rm -f {path}; echo {random.Next(3)} > {path}; }}",
                2 => $"[ ! -f {path} -o -L {path} ] || echo more >> {path}",
                3 => $"[ -d {path} ] || rm -f {path}",
                4 => $"rm -rf {path}",
                5 => $"[ ! -f {path} -o -L {path} ] || chmod {(random.Next(2) == 0 ? "600" : "4755")} {path}",
                6 => $"[ ! -f {path} -o -L {path} ] || chown {1 + random.Next(3)}:7 {path}",
                7 => $"! {isFile} || {{ rm -f {path}; ln -s {random.Next(3)} {path}; }}",
                8 => $"[ ! -L {path} ] || chown -h 4:5 {path}",
                9 => upstream ? "true" : $"[ ! -d {parent} ] || mkfifo {parent}/pipe{random.Next(9)} 2>/dev/null || true",
                10 => $"[ ! -d {parent} ] || {{ mkdir -p {parent}/own{(upstream ? "" : "er")}; echo {random.Next(3)} > {parent}/own{(upstream ? "" : "er")}/x; }}",
                11 => $"[ ! -d {path} ] || {{ rm -rf {path}; echo file > {path}; }}",
                _ => $"! {isFile} || {{ rm -f {path}; mkdir {path}; echo x > {path}/x; }}",
            };
            script.Append(line).Append('\n');
        }
        return script.ToString();
    }
}
