namespace OciOstree.Repository;

/// <summary>How many operations of each kind a part has.</summary>
public readonly record struct DeltaOperationCounts(int OpenSpliceAndClose, int Open, int Write, int SetReadSource, int UnsetReadSource, int Close, int Patch);
