using OciOstree.Formats.Verity;

namespace OciOstree.Formats.Tests.Verity;

/// <summary>Digests are the kernel's: those here are what <c>composefs-info measure-file</c> says, and for no content at all what <c>fsverity digest</c> does.</summary>
public class VerityDigestTests
{
    public static TheoryData<int, string> Known() => new()
    {
        { 0, "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95" },
        { 1, "bce75948b9e7510293f8f2720412af9697c1479281323f3f220623fb8e94b557" },
        { 4095, "cff490d058f9ad59d0ced3c2dcc9d7b0e6683a88c3d4fc88ce8d222ddaebb912" },
        { 4096, "a2a808ddaced77f0b6b3068f47b14b5a1fb3fc43674993ab11b8e7e6f2d089e2" },
        { 4097, "18b155c0b6e054f3f7d22488ed15340e74dc161ce2d123e13eb685c3ce565f70" },
        { 128 * 4096, "35ce0df2a57eb54aeba7969570bac9dfadfac295ec181a03f13ac7a7da54909e" },
        { 128 * 4096 + 1, "cc4f297494cf9e0b6f159db6d30a62d3fcc219fc9c0cbc2d8792bd264da4d9cb" },
        { 129 * 4096, "86ca2993bfc7a6fdb0dbea51f8a3c9217566a136b9aa7356d0313a438a6cf31a" },
        { 128 * 128 * 4096, "e3f26eb8c0065f882ae73c915108975ca3d1b91b6bc38f4d12f2bf99665d3e50" },
        { 128 * 128 * 4096 + 1, "4941c3476d3858778456d8719299de3d84d4541237c259b3ed4bcc96ed0fd828" },
    };

    [Theory]
    [MemberData(nameof(Known))]
    public void A_content_has_the_digest_that_fs_verity_gives_it(int length, string digest)
    {
        byte[] content = new byte[length];
        content.AsSpan().Fill((byte)'a');
        Assert.Equal(digest, Convert.ToHexStringLower(VerityDigest.Compute(content)));
    }

    [Fact]
    public void How_the_bytes_come_makes_no_difference()
    {
        byte[] content = new byte[700_000];
        new Random(5).NextBytes(content);
        byte[] whole = VerityDigest.Compute(content);
        Assert.Equal(whole, VerityDigest.Compute(new MemoryStream(content)));
        foreach (int step in (int[])[1000, 4095, 4096, 4097, 12288, 65536, 524288, 524289])
        {
            using VerityDigest digest = new();
            for (int at = 0; at < content.Length; at += step)
                digest.Append(content.AsSpan(at, Math.Min(step, content.Length - at)));
            Assert.Equal(whole, digest.Finish());
        }
    }
}
