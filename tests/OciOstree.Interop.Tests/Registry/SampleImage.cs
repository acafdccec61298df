using OciOstree.Testing;

namespace OciOstree.Interop.Tests;

/// <summary>An OCI layout with one small image of three layers, made by umoci-free means: tar, gzip and sha256sum.</summary>
internal static class SampleImage
{
    /// <summary>Makes it at <c>sample</c> in the scratch directory and returns <c>oci:…/sample:v1</c>.</summary>
    /// <param name="compressor">A program that compresses standard input, or <c>cat</c>.</param>
    public static string Make(ScratchDirectory scratch, string compressor = "gzip -n", string suffix = "+gzip")
    {
        Tool.Shell($$"""
            mkdir -p sample/blobs/sha256 && cd sample
            put() { d=$(sha256sum <"$1" | cut -d' ' -f1); s=$(stat -c %s "$1"); mv "$1" blobs/sha256/$d; }
            layers= diffs=
            for i in 1 2 3; do
                rm -rf tree && mkdir -p tree/usr && head -c $((i * 40000)) /dev/urandom >tree/usr/file$i
                tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C tree -cf layer.tar .
                diffs="$diffs${diffs:+,}\"sha256:$(sha256sum <layer.tar | cut -d' ' -f1)\""
                {{compressor}} <layer.tar >layer
                put layer
                layers="$layers${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar{{suffix}}\",\"digest\":\"sha256:$d\",\"size\":$s}"
            done
            rm -rf tree layer.tar
            echo '{"architecture":"amd64","os":"linux","config":{"Labels":{"made.by":"test"}''},"rootfs":{"type":"layers","diff_ids":['$diffs']},"history":[]}' >config
            put config
            config="{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:$d\",\"size\":$s}"
            echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":'$config',"layers":['$layers']}' >manifest
            put manifest
            echo '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:'$d'","size":'$s',"annotations":{"org.opencontainers.image.ref.name":"v1"} }]}' >index.json
            echo '{"imageLayoutVersion": "1.0.0"}' >oci-layout
            """, scratch.Path).Ok();
        return $"oci:{scratch["sample"]}:v1";
    }
}
