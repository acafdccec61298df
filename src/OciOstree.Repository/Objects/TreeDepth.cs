using System.Runtime.CompilerServices;

namespace OciOstree.Repository;

/// <summary>Bounds recursion into trees: a stranger's may be deeper than a stack, and what runs over its stack ends without a word.</summary>
internal static class TreeDepth
{
    /// <summary>To be asked on the way into each directory.</summary>
    /// <exception cref="RepositoryException">The stack is nearly used up.</exception>
    public static void Check()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw new RepositoryException("Directories are nested too deeply");
    }
}
