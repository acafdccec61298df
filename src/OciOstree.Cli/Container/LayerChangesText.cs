using OciOstree.Container;
using OciOstree.Registry;

namespace OciOstree.Cli.Container;

/// <summary>Layers of two images beside each other, in the peer's words.</summary>
internal static class LayerChangesText
{
    public static void Write(LayerChanges changes)
    {
        Line("Total new layers: ", changes.All, changes.TotalSize);
        Line("Removed layers:   ", changes.Removed, changes.Removed.Sum(layer => layer.Size));
        Line("Added layers:     ", changes.Added, changes.Added.Sum(layer => layer.Size));
    }

    private static void Line(string what, IReadOnlyList<Descriptor> layers, long size) => Console.Out.WriteLine($"{what}{layers.Count,-4}  Size: {Output.Size(size)}");
}
