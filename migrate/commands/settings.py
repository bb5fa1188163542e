"""Join the command line with the configuration file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.config import find_config, read_config
from migrate.errors import UsageError
from migrate.findings import TIERS
from migrate.rules.sources import PACKAGES
from migrate.settings import DEFAULT_MAX_TIER, Settings

#: What ``--report`` can write, by suffix.
REPORT_SUFFIXES = (".html", ".md", ".json", ".sarif")


@dataclass(frozen=True)
class Request:
    """Settings of the engine and of the output.

    Attributes:
        settings: what the engine works with.
        reports: files to write reports to.
        output: "text" or "json".
        allow_dirty: as on the command line or in the file.
    """

    settings: Settings
    reports: tuple[Path, ...]
    output: str
    allow_dirty: bool


def build_request(options: dict[str, Any]) -> Request:
    """Check everything before anything is read.

    Raises:
        UsageError: something asks for what cannot be.
    """
    given: tuple[Path, ...] = options["paths"]
    config = read_config(find_config(given[0] if given and given[0].exists() else Path.cwd()))
    paths = given or tuple(Path(one) for one in config.get("paths", ())) or (Path(),)
    source = options["source"] or config.get("from", "auto")
    if source != "auto" and source not in PACKAGES:
        raise UsageError(f"--from {source!r} is unknown: expected {', '.join(PACKAGES)} or auto")
    max_tier = options["max_tier"] or config.get("max-tier", DEFAULT_MAX_TIER)
    if max_tier not in TIERS:
        raise UsageError(f"max-tier {max_tier!r} is unknown: expected {', '.join(TIERS)}")
    reports = tuple(options["report"]) or tuple(Path(one) for one in config.get("report", ()))
    check_suffixes(reports)
    settings = Settings(
        paths,
        source=source,
        max_tier=max_tier,
        select=_codes(options["select"] or config.get("select", ())),
        ignore=_codes(options["ignore"] or config.get("ignore", ())),
        exclude=tuple(options["exclude"]) or tuple(config.get("exclude", ())),
        line_length=config.get("line-length"),
        jobs=options["jobs"] or config.get("jobs") or os.cpu_count() or 1,
    )
    return Request(settings, reports, options["output"], bool(options.get("allow_dirty") or config.get("allow-dirty")))


def check_suffixes(reports: tuple[Path, ...]) -> None:
    """Refuse a report file of a kind that is not known, before any work."""
    for file in reports:
        if file.suffix not in REPORT_SUFFIXES:
            raise UsageError(f"report {str(file)!r}: expected a name that ends in {', '.join(REPORT_SUFFIXES)}")


def _codes(given: Any) -> tuple[str, ...]:
    codes = tuple(code.strip().upper() for one in given for code in one.split(",") if code.strip())
    for code in codes:
        if not code.startswith("RM"):
            raise UsageError(f"{code!r} is no code: codes look like RM120, or RM1 for all that begin so")
    return codes
