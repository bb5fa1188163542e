"""``[tool.resonate-migrate]`` in ``pyproject.toml``: the same options as on the command line."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from migrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Keys and what they hold.
KEYS: Final[Mapping[str, type]] = {
    "from": str,
    "paths": list,
    "exclude": list,
    "select": list,
    "ignore": list,
    "max-tier": str,
    "line-length": int,
    "jobs": int,
    "report": list,
    "allow-dirty": bool,
}
_NOUNS: Final = {str: "a text", list: "a list of texts", int: "a number", bool: "true or false"}


def find_config(start: Path) -> Path | None:
    """Return the nearest ``pyproject.toml`` at or above a directory."""
    directory = start if start.is_dir() else start.parent
    for folder in (directory.absolute(), *directory.absolute().parents):
        if (folder / "pyproject.toml").is_file():
            return folder / "pyproject.toml"
    return None


def read_config(file: Path | None) -> dict[str, Any]:
    """Return the settings of a configuration file, checked.

    Raises:
        UsageError: the file is not TOML, a key is unknown, or a value has the wrong type.
    """
    if file is None:
        return {}
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: not readable: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file}: {error}") from error
    tools = data.get("tool", {})
    settings: dict[str, Any] = tools.get("resonate-migrate", {})
    for key, value in settings.items():
        _check(file, key, value)
    if "line-length" not in settings:
        width = formatter_width(tools)
        if width is not None:
            settings = {**settings, "line-length": width}
    return settings


def _check(file: Path, key: str, value: object) -> None:
    if key not in KEYS:
        near = get_close_matches(key, KEYS, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(KEYS)}"
        raise UsageError(f"{file}: [tool.resonate-migrate] has no key {key!r}: {hint}")
    expected = KEYS[key]
    fits = isinstance(value, expected) and not (expected is int and isinstance(value, bool))
    if fits and isinstance(value, list):
        fits = all(isinstance(one, str) for one in value)
    if not fits:
        raise UsageError(f"{file}: {key} must be {_NOUNS[expected]}, found {value!r}")


def formatter_width(tools: Mapping[str, Any]) -> int | None:
    """Return the line length that the project's formatter is told, or None."""
    for name, key in (("ruff", "line-length"), ("black", "line-length"), ("isort", "line_length")):
        width = tools.get(name, {}).get(key)
        if isinstance(width, int):
            return width
    return None
