using System.Text;

namespace OciOstree.Cli.Tests;

/// <summary>The commands in a line as it would be pasted into a shell: as much of a shell's grammar (and a Containerfile's) as examples use.</summary>
internal static class ShellLine
{
    /// <summary>The words of each command; redirections and what a comment says are not among them. Variables stay as they are written.</summary>
    public static List<string[]> Commands(string line)
    {
        var commands = new List<string[]>();
        var words = new List<string>();
        StringBuilder? word = null;
        var quote = '\0';
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote != '\0')
            {
                if (c == quote)
                    quote = '\0';
                else
                    word!.Append(c);
            }
            else if (c is '\'' or '"')
            {
                quote = c;
                word ??= new StringBuilder();
            }
            else if (c == '#' && word is null)
            {
                break;
            }
            else if (c is '|' or '&' or ';' or '(' or ')')
            {
                EndCommand();
            }
            else if (char.IsWhiteSpace(c))
            {
                EndWord();
            }
            else
            {
                (word ??= new StringBuilder()).Append(c);
            }
        }

        EndCommand();
        return commands;

        void EndWord()
        {
            if (word is not null)
                words.Add(word.ToString());
            word = null;
        }

        void EndCommand()
        {
            EndWord();
            // Where output goes to: "> file", ">file", "2>&1".
            for (var i = 0; i < words.Count; i++)
            {
                var arrow = words[i].IndexOfAny(['<', '>']);
                if (arrow >= 0 && words[i][..arrow].All(char.IsAsciiDigit))
                    words.RemoveRange(i, words[i].Length == arrow + 1 && i + 1 < words.Count ? 2 : 1);
            }

            while (words.Count > 0 && (words[0] is "sudo" or "RUN" or "if" or "then" or "!" || (words[0].IndexOf('=', StringComparison.Ordinal) is > 0 and var equals && words[0][..equals].All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))))
                words.RemoveAt(0);
            if (words.Count > 0)
                commands.Add([.. words]);
            words = [];
        }
    }

    /// <summary>The calls of this program among them: by which of its names, and with what.</summary>
    public static IEnumerable<(string CalledAs, string[] Words)> Calls(string line) =>
        from command in Commands(line)
        let name = Path.GetFileName(command[0])
        where Called.Names.Contains(name)
        select (name, command[1..]);
}
