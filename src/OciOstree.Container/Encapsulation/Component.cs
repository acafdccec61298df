namespace OciOstree.Container;

/// <summary>A part of a system that is built and changes as one: a package, the kernel, a directory that no package owns.</summary>
/// <param name="Id">Unique in its <see cref="ContentMeta"/>.</param>
/// <param name="Name">For people, and without a version: what is remembered in a layer's annotation, so that the next build can keep it there.</param>
/// <param name="ChangeFrequency">Higher changes more often; <see cref="EveryBuild"/> is a part that no two builds share.</param>
public sealed record Component(string Id, string Name, uint ChangeFrequency)
{
    /// <summary>The frequency of parts that a build generates anew.</summary>
    public const uint EveryBuild = uint.MaxValue;
}
