namespace OciOstree.Repository;

/// <summary>A ref under the identity of the collection it belongs to, wherever it was pulled from.</summary>
public readonly record struct CollectionRef(string CollectionId, string Name);
