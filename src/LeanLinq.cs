namespace OciOstree;

/// <summary>
/// <c>Select</c> and <c>Where</c> as System.Linq has them, and nearer to this program's code than those. .NET 9's know how to join each one to any
/// other, for each pair of types: in a native executable that is twenty megabytes of code, most of which never runs. .NET 10 has a switch for it.
/// </summary>
internal static class LeanLinq
{
    public static IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, TResult> selector)
    {
        foreach (TSource item in source)
            yield return selector(item);
    }

    public static IEnumerable<TResult> Select<TSource, TResult>(this IEnumerable<TSource> source, Func<TSource, int, TResult> selector)
    {
        int index = 0;
        foreach (TSource item in source)
            yield return selector(item, index++);
    }

    public static IEnumerable<TSource> Where<TSource>(this IEnumerable<TSource> source, Func<TSource, bool> predicate)
    {
        foreach (TSource item in source)
            if (predicate(item))
                yield return item;
    }

    public static IEnumerable<TSource> Where<TSource>(this IEnumerable<TSource> source, Func<TSource, int, bool> predicate)
    {
        int index = 0;
        foreach (TSource item in source)
            if (predicate(item, index++))
                yield return item;
    }
}
