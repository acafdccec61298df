using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("OciOstree.Linux.Tests")]
