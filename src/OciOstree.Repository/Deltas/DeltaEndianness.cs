namespace OciOstree.Repository;

/// <summary>The byte order of the numbers in a superblock. Old deltas have their machine's and do not say which that was.</summary>
public enum DeltaEndianness
{
    /// <summary>Not said and not to be guessed, or said wrongly; then it is this machine's.</summary>
    Invalid,
    Little,
    Big,
}
