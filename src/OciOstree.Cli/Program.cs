using OciOstree.Cli;

return Entry.Run(Environment.GetCommandLineArgs()[0], args);
