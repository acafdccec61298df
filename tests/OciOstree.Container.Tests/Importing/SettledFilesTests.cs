using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Container.Tests;

/// <summary>What is put away is found again, whatever of it is in memory and whatever on disk.</summary>
public sealed class SettledFilesTests : IDisposable
{
    private readonly TestRepo test = new();

    public void Dispose() => test.Dispose();

    [Fact]
    public void Files_are_there_until_they_are_taken()
    {
        using var temporary = test.Repo.Root.OpenDirectory("tmp");
        using var settled = new SettledFiles(temporary);
        var random = new Random(20261121);
        // So many that most pages are on disk, and so few directories that each has records all over them.
        var last = new uint[7];
        var expected = Enumerable.Range(0, last.Length).Select(_ => new Dictionary<string, (Checksum, bool)>()).ToArray();
        for (var step = 0; step < 40_000; step++)
        {
            var directory = random.Next(last.Length);
            var name = NameOf(random.Next(12_000));
            var isThere = expected[directory].TryGetValue(name, out var value);
            Assert.Equal(isThere, settled.TryTake(directory, name, out var checksum, out var isSymlink));
            if (isThere)
            {
                Assert.Equal(value, (checksum, isSymlink));
                expected[directory].Remove(name);
            }

            if (!isThere || random.Next(3) > 0)
            {
                value = (Checksum.Compute(BitConverter.GetBytes(step)), random.Next(2) == 0);
                expected[directory].Add(name, value);
                last[directory] = settled.Add(directory, last[directory], name, value.Item1, value.Item2);
            }
        }

        Assert.False(settled.TryTake(3, new string('x', 256), out _, out _));
        using var transaction = test.Repo.BeginTransaction();
        for (var directory = 0; directory < last.Length; directory++)
        {
            var tree = new DirTreeBuilder();
            settled.CopyTo(last[directory], tree);
            Assert.Equal(
                expected[directory].OrderBy(file => file.Key, Comparer<string>.Create(FileName.Compare)).Select(file => new DirTreeFile(file.Key, file.Value.Item1)),
                test.Repo.ReadDirTree(transaction.WriteDirTree(tree)).Files);
        }
    }

    // From one byte to the longest that there are.
    private static string NameOf(int number) => number.ToString() + new string('ü', number % 100 == 0 ? 125 : number % 9);
}
