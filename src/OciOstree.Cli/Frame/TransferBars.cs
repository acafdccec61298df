using OciOstree.Registry;
using Spectre.Console;
using Spectre.Console.Rendering;

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

        using var bars = new Bars();
        return work(bars);
    }

    public static void Run(Action<ITransferProgress> work, bool quiet = false) =>
        Run(progress =>
        {
            work(progress);
            return true;
        }, quiet);

    /// <summary>
    /// A bar for each transfer under way, and over them, where there is more than one to come, a bar for all of them. The bars appear with the first
    /// transfer: what is printed before stays where it is.
    /// </summary>
    private sealed class Bars : ITransferProgress, IDisposable
    {
        private readonly object gate = new();
        private readonly ManualResetEventSlim done = new();
        private readonly Lazy<ProgressContext?> context;
        private Thread? display;
        private ProgressTask? all;
        private int expected, ended;

        internal Bars() => context = new(Show);

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
                    all = context.Value?.AddTask(Count(), autoStart: true, maxValue: bytes);
                }
            }
        }

        public ITransferItem Begin(string label, long? totalBytes)
        {
            if (context.Value?.AddTask(Markup.Escape(label), autoStart: true, maxValue: totalBytes ?? 1) is not { } task)
            {
                return TransferProgress.None.Begin(label, totalBytes);
            }

            task.IsIndeterminate = totalBytes is null;
            return new Bar(this, task, totalBytes ?? 0);
        }

        public void Dispose()
        {
            done.Set();
            display?.Join();
            done.Dispose();
        }

        private ProgressContext? Show()
        {
            var shown = new TaskCompletionSource<ProgressContext?>();
            display = new Thread(() => Display(shown)) { IsBackground = true, Name = "progress" };
            display.Start();
            return shown.Task.GetAwaiter().GetResult();
        }

        private void Display(TaskCompletionSource<ProgressContext?> shown)
        {
            try
            {
                AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }).Progress()
                    .AutoClear(true)
                    .HideCompleted(true)
                    .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new MovedColumn(), new SpeedColumn())
                    .Start(begun =>
                    {
                        shown.SetResult(begun);
                        done.Wait();
                    });
            }
            catch (Exception e) when (e is IOException or InvalidOperationException)
            {
                // A terminal that went away is no reason to stop what it only shows.
                shown.TrySetResult(null);
            }
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

    /// <summary>How much of it is done, in the units of all that is printed; Spectre's own column counts in powers of two.</summary>
    private sealed class MovedColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.IsIndeterminate ? Output.Size((long)task.Value) : $"{Output.Size((long)task.Value)} of {Output.Size((long)task.MaxValue)}").RightJustified();
    }

    private sealed class SpeedColumn : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.Speed is { } speed ? $"{Output.Size((long)speed)}/s" : "").RightJustified();
    }
}
