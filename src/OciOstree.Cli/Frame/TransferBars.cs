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

    /// <summary>A bar for each transfer under way, and over them, where there is more than one to come, a bar for all of them.</summary>
    private sealed class Bars(ProgressContext context) : ITransferProgress
    {
        private readonly object gate = new();
        private ProgressTask? all;
        private int expected, ended;

        public void Expect(int transfers, long bytes)
        {
            lock (gate)
            {
                expected += transfers;
                if (all is not null)
                {
                    all.MaxValue += bytes;
                    all.Description = Count();
                }
                else if (expected > 1 && bytes > 0)
                {
                    all = context.AddTask(Count(), autoStart: true, maxValue: bytes);
                }
            }
        }

        public ITransferItem Begin(string label, long? totalBytes)
        {
            var task = context.AddTask(Markup.Escape(label), autoStart: true, maxValue: totalBytes ?? 1);
            task.IsIndeterminate = totalBytes is null;
            return new Bar(this, task, totalBytes ?? 0);
        }

        private string Count() => $"{ended} of {expected}";

        private void Advance(long bytes, bool isEnd = false)
        {
            lock (gate)
            {
                ended += isEnd ? 1 : 0;
                if (all is not null)
                {
                    all.Increment(bytes);
                    all.Description = Count();
                }
            }
        }

        private sealed class Bar : ITransferItem
        {
            private readonly Bars bars;
            private readonly ProgressTask task;
            private long rest;

            internal Bar(Bars bars, ProgressTask task, long rest) => (this.bars, this.task, this.rest) = (bars, task, rest);

            public void Advance(long bytes)
            {
                task.Increment(bytes);

                // What is sent again counts once.
                var counted = Math.Min(bytes, rest);
                rest -= counted;
                bars.Advance(counted);
            }

            public void Dispose()
            {
                task.StopTask();

                // What was there already needed not be moved, and is done.
                bars.Advance(rest, isEnd: true);
                rest = 0;
            }
        }
    }
}
