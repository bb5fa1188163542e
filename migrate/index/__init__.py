"""The index: what a project defines, means and mentions. Read only."""
