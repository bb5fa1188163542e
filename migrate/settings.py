"""What a run was asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from migrate.findings import Tier

#: What a run goes up to unless it is told otherwise: what cannot be rewritten moves onto the shim, so that the whole
#: project runs on Resonate afterwards.
DEFAULT_MAX_TIER: Final[Tier] = "compat"


@dataclass(frozen=True)
class Settings:
    """The command line and the configuration file, joined.

    Attributes:
        paths: files and directories.
        source: "temporal", "dbos" or "auto".
        max_tier: units of a worse tier stay on the original SDK.
        select: codes or their beginnings; units that need an edit of another code stay. Empty: all.
        ignore: codes or their beginnings; units that need an edit of one of these stay, findings of these are not
        shown.
        exclude: patterns as in an ignore file.
        line_length: width of new code, or None to take each file's own.
        jobs: processes to render with.
    """

    paths: tuple[Path, ...]
    source: str = "auto"
    max_tier: Tier = DEFAULT_MAX_TIER
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    line_length: int | None = None
    jobs: int = 1
