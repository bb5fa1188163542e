"""Every limit of the codemod, with its reason."""

from __future__ import annotations

from typing import Final

#: Files above this size are generated data in practice; parsing them costs seconds and gains nothing.
FILE_BYTES_MAX: Final = 4_000_000

#: A file is searched for the SDK's name up to this size; nobody writes Python beyond it.
READ_BYTES_MAX: Final = 100_000_000

#: Re-exports are followed this far; longer chains are import cycles.
RE_EXPORT_HOPS_MAX: Final = 32

#: Helpers are looked for this many imports away from a file that names the SDK.
HELPER_HOPS_MAX: Final = 4

#: The colouring settles after as many rounds as the longest chain of helpers; this only stops our own mistakes.
FIXED_POINT_ROUNDS_MAX: Final = 200

#: A line may be this long even if the file's own lines are shorter (black's width).
LINE_LENGTH_MIN: Final = 88

#: A longest line beyond this is a string or a URL, not a style.
LINE_LENGTH_MAX: Final = 120

#: Python frames while a tree is indexed: five per level of nesting that CPython's parser lets through.
RECURSION_LIMIT: Final = 6_000

#: Below this many lines a second process costs more than it saves.
PARALLEL_LINES_MIN: Final = 2_000
