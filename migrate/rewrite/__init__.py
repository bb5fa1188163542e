"""Apply planned edits to the text of a file, keeping everything else as it was."""
