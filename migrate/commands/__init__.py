"""What the subcommands do. Each module is imported by its command only."""
