"""Reading a Python file without losing anything: encoding, byte order mark, newlines, permissions."""

from __future__ import annotations

import ast
import codecs
import hashlib
import io
import os
import re
import stat
import tokenize
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from migrate.errors import FileProblem
from migrate.limits import FILE_BYTES_MAX, READ_BYTES_MAX

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class SourceFile:
    """A file as it was when it was read.

    Attributes:
        path: relative to the root, with forward slashes; it names the file everywhere.
        file: the real path.
        data: the bytes, byte order mark included.
        text: decoded, newlines as they are in the file, no byte order mark.
        encoding: codec that decoded it.
        has_bom: the file starts with a UTF-8 byte order mark.
        mode: permission bits.
        digest: SHA-256 of ``data``; a write is refused if the file differs by then.
    """

    path: str
    file: Path
    data: bytes
    text: str
    encoding: str
    has_bom: bool
    mode: int
    digest: str

    @cached_property
    def lines(self) -> list[str]:
        """Lines as the compiler counts them, without their ends."""
        return re.split(r"\r\n|\r|\n", self.text)

    def line(self, number: int) -> str:
        """Return a line, 1-based, or nothing beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def encode(self, text: str) -> bytes:
        """Give ``text`` the file's own encoding and byte order mark."""
        body = text.encode(self.encoding)
        return codecs.BOM_UTF8 + body if self.has_bom else body


def read_bytes(file: Path, root: Path) -> bytes:
    """Read one file, or say in one line why not.

    Raises:
        FileProblem: a link that leaves the tree, not readable, gone, or absurdly large.
    """
    try:
        if file.is_symlink() and not file.resolve(strict=True).is_relative_to(root.resolve()):
            raise FileProblem("RM006", "symbolic link that leads outside the tree")
        info = file.stat()
        if not stat.S_ISREG(info.st_mode):
            raise FileProblem("RM006", "not a regular file")
        if info.st_size > READ_BYTES_MAX:
            raise FileProblem("RM006", f"{info.st_size} bytes, more than the limit of {READ_BYTES_MAX}")
        return file.read_bytes()
    except FileNotFoundError:
        raise FileProblem("RM006", "disappeared before it was read") from None
    except PermissionError:
        raise FileProblem("RM006", "not readable: permission denied") from None
    except (OSError, RuntimeError) as error:
        raise FileProblem("RM006", f"not readable: {error}") from error


def decode(path: str, file: Path, data: bytes) -> SourceFile:
    """Decode as the interpreter would (PEP 263), keeping newlines.

    Raises:
        FileProblem: unknown or wrong encoding, or too large.
    """
    if len(data) > FILE_BYTES_MAX:
        raise FileProblem("RM006", f"{len(data)} bytes, more than the limit of {FILE_BYTES_MAX}")
    has_bom = data.startswith(codecs.BOM_UTF8)
    body = data[len(codecs.BOM_UTF8) :] if has_bom else data
    try:
        encoding = "utf-8" if has_bom else tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        text = body.decode(encoding)
    except SyntaxError as error:
        raise FileProblem("RM005", f"encoding: {error.msg}") from None
    except (UnicodeDecodeError, LookupError) as error:
        raise FileProblem("RM005", f"does not decode: {error}") from None
    mode = stat.S_IMODE(os.stat(file).st_mode) if file.exists() else 0o644  # noqa: PTH116 - one call, no second look
    return SourceFile(path, file, data, text, encoding, has_bom, mode, hashlib.sha256(data).hexdigest())


def parse(source: SourceFile) -> ast.Module:
    """Parse for analysis.

    Raises:
        FileProblem: the file is not Python that this interpreter knows.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a user's invalid escape is none of our business
            return ast.parse(source.text, source.path)
    except SyntaxError as error:
        raise FileProblem(
            "RM001", f"does not parse: {error.msg} (line {error.lineno})", line=error.lineno or 1
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FileProblem("RM001", f"does not parse: {error}") from None
