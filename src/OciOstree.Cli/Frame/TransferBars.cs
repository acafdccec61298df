using OciOstree.Registry;
using Spectre.Console;

namespace OciOstree.Cli;

/// <summary>Progress of long work as bars on the terminal; nothing at all when standard error is not one.</summary>
internal static class TransferBars
{
    public static T Run<T>(Func<ITransferProgress, T> work, bool quiet = false)
    {
        if (quiet || Console.IsErrorRedirected || Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb")
        {
            return work(TransferProgress.None);
        }

        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return console.Progress()
            .AutoClear(true)
            .HideCompleted(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn())
            .Start(context => work(new Bars(context)));
    }

    public static void Run(Action<ITransferProgress> work, bool quiet = false) =>
        Run(progress =>
        {
            work(progress);
            return true;
        }, quiet);

    private sealed class Bars(ProgressContext context) : ITransferProgress
    {
        public ITransferItem Begin(string label, long? totalBytes)
        {
            var task = context.AddTask(Markup.Escape(label), autoStart: true, maxValue: totalBytes ?? 1);
            task.IsIndeterminate = totalBytes is null;
            return new Bar(task);
        }
    }

    private sealed class Bar(ProgressTask task) : ITransferItem
    {
        public void Advance(long bytes) => task.Increment(bytes);

        public void Dispose() => task.StopTask();
    }
}
