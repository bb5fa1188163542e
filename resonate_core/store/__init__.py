"""Where the embedded server keeps its state: in memory, or in one SQLite file."""
