using System.Diagnostics;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OciOstree.Linux;
using OciOstree.Repository;

namespace OciOstree.Cli.Ostree;

/// <summary>Lets the user write a commit's message in an editor, in git's manner: the first line is the subject, what follows the body. As in ostree, a body given beside it is not used.</summary>
internal static class CommitEditor
{
    /// <exception cref="RepositoryException">There is no editor, it failed, or nothing was written.</exception>
    public static (string Subject, string? Body) Ask(string? branch, string? subject)
    {
        var template = new StringBuilder("\n# Please enter the commit message for your changes. The first line will\n# become the subject, and the remainder the body. Lines starting\n"
            + "# with '#' will be ignored, and an empty message aborts the commit.");
        if (branch is not null)
            template.Append("\n#\n# Branch: ").Append(branch);
        if (subject is not null)
            template.Append('\n').Append(subject);
        return Parse(Edit(template.Append('\n').ToString()));
    }

    /// <summary>What is between comments; lines that are empty count only within the body.</summary>
    internal static (string Subject, string? Body) Parse(string text)
    {
        string? subject = null;
        List<string>? body = null;
        foreach (string raw in text.Split('\n'))
        {
            string line = raw.TrimEnd();
            if (line.StartsWith('#') || (line.Length == 0 && body is null))
                continue;
            if (subject is null)
                subject = line;
            else
                (body ??= []).Add(line);
        }
        if (subject is null)
            throw new RepositoryException("Aborting commit due to empty commit subject.");
        return (subject, body is null ? null : string.Join('\n', body).TrimEnd());
    }

    private static string Edit(string text)
    {
        string editor = Program() ?? throw new RepositoryException("Terminal is dumb, but EDITOR unset");
        string path = Path.Combine(Path.GetTempPath(), $"ostree-message-{Guid.NewGuid():N}");
        try
        {
            using (SafeFileHandle file = Files.Open(path, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive, 0x180))
                Files.Write(file, Encoding.UTF8.GetBytes(text), path);
            // The shell splits the editor's words: EDITOR may have options. The path has nothing in it to quote.
            using Process process = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"{editor} '{path}'"]))!;
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new RepositoryException($"There was a problem with the editor '{editor}': Child process exited with code {process.ExitCode}");
            return NamedFile.ReadText(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static string? Program()
    {
        bool dumb = Variable("TERM") is null or "dumb";
        return Variable("OSTREE_EDITOR") ?? (dumb ? null : Variable("VISUAL")) ?? Variable("EDITOR") ?? (dumb ? null : "vi");
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name);
}
