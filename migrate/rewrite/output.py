"""Pieces of new text: indentation, width, lines that begin inside a string.

While text is put together, a line that begins inside a string literal carries a NUL as its first character (no Python
source holds one): such lines are never re-indented. ``finish`` takes the marks out again.
"""

from __future__ import annotations

from typing import Final

#: First character of a line that begins inside a string.
INSIDE: Final = "\0"
#: Indentation unit in templates.
UNIT: Final = "    "


def finish(text: str) -> str:
    """Take the marks out of finished text."""
    return text.replace(INSIDE, "")


def is_multiline(text: str) -> bool:
    """Tell whether text has a line end outside of strings."""
    return any(line and not line.startswith(INSIDE) for line in text.split("\n")[1:])


def first_width(text: str) -> int:
    """Return the length of the first line."""
    return len(text.split("\n", 1)[0].rstrip("\r"))


def last_line(text: str) -> str:
    """Return what stands on the last line so far."""
    return text.rsplit("\n", 1)[-1]


def shift(text: str, old: str, new: str, *, first: bool = False) -> str:
    """Move lines from indentation ``old`` to ``new``; the first line only if asked.

    Lines inside strings, blank lines and lines indented less than ``old`` stay.
    """
    if old == new:
        return text
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if (index or first) and line.startswith(old) and line.strip("\r"):
            lines[index] = new + line[len(old) :]
        elif (index or first) and new.startswith(old) and line.strip() and not line.startswith(INSIDE):
            lines[index] = new[len(old) :] + line
    return "\n".join(lines)


def to_unit(template: str, unit: str) -> str:
    """Put the file's own unit in place of the four blanks of a template."""
    if unit == UNIT or "\n" not in template:
        return template
    lines = template.split("\n")
    for index, line in enumerate(lines[1:], 1):
        depth = (len(line) - len(line.lstrip(" "))) // len(UNIT)
        lines[index] = unit * depth + line[depth * len(UNIT) :]
    return "\n".join(lines)
