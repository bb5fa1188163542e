"""The result of a run as data; ``to_json`` is the contract, version 1."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migrate.findings import Finding, Tier

#: Version of the JSON contract.
VERSION: Final = 1

Status: TypeAlias = Literal["rewritten", "unchanged", "skipped", "failed"]


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Attributes:
        path: relative to the root.
        status: "skipped" files do not concern the SDK; "failed" ones could not be read, rewritten or written.
        added: lines of the diff.
        removed: lines of the diff.
        reason: one line, for what was skipped or failed, and for unchanged files with a part that stays.
        old: text before; empty for a new file.
        new: text after; None if there is none to write.
        encoded: ``new`` in the file's own encoding, as it is written.
    """

    path: str
    status: Status
    added: int = 0
    removed: int = 0
    reason: str | None = None
    old: str = ""
    new: str | None = None
    encoded: bytes | None = None


@dataclass(frozen=True)
class WorkflowResult:
    """What became of one workflow.

    Attributes:
        name: registered name.
        path: file.
        line: 1-based.
        tier: what came out; "manual" is left on the original SDK.
        codes: rules that it needed, sorted.
    """

    name: str
    path: str
    line: int
    tier: Tier
    codes: tuple[str, ...] = ()


@dataclass
class Report:
    """Everything a run has to say.

    Attributes:
        source: "temporal" or "dbos".
        root: directory that paths are relative to, as a person would name it.
        dry_run: nothing was written.
        seconds: wall time.
    """

    source: str
    root: str
    dry_run: bool
    files: list[FileResult] = field(default_factory=list)
    workflows: list[WorkflowResult] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def changed(self) -> list[FileResult]:
        """Files with a new text."""
        return [one for one in self.files if one.status == "rewritten"]

    @property
    def failed(self) -> list[FileResult]:
        """Files that could not be handled."""
        return [one for one in self.files if one.status == "failed"]

    @property
    def open_findings(self) -> list[Finding]:
        """Findings that ask a person to do something."""
        return [one for one in self.findings if one.level != "note"]

    def summary(self) -> dict[str, Any]:
        """Return the numbers of the run."""
        tiers = Counter(one.tier for one in self.workflows)
        return {
            "files": len([one for one in self.files if one.status != "skipped"]),
            "rewritten": len(self.changed),
            "workflows": len(self.workflows),
            **{tier: tiers[tier] for tier in ("idiomatic", "helper", "compat", "manual")},
            "findings": len(self.findings),
            "seconds": round(self.seconds, 3),
        }


def to_json(report: Report) -> dict[str, Any]:
    """Return the report as the JSON contract has it."""
    return {
        "version": VERSION,
        "source": report.source,
        "root": report.root,
        "dry_run": report.dry_run,
        "files": [
            {"path": one.path, "status": one.status, "added": one.added, "removed": one.removed, "reason": one.reason}
            for one in report.files
        ],
        "workflows": [
            {"name": one.name, "path": one.path, "line": one.line, "tier": one.tier, "codes": list(one.codes)}
            for one in report.workflows
        ],
        "findings": [_finding(one) for one in report.findings],
        "summary": report.summary(),
    }


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "code": one.code,
        "level": one.level,
        "path": one.path,
        "line": one.line,
        "column": one.column,
        "message": one.message,
        "action": one.action,
    }


def from_json(data: Mapping[str, Any]) -> Report:
    """Read a report back; texts of files are not part of it.

    Raises:
        UsageError: it is none of ours, or of another version.
    """
    from migrate.errors import UsageError  # noqa: PLC0415 - only to read one back
    from migrate.findings import Finding  # noqa: PLC0415 - only to read one back

    if data.get("version") != VERSION:
        raise UsageError(f"expected a report of version {VERSION}, found {data.get('version')!r}: make it again")
    report = Report(data["source"], data["root"], data["dry_run"])
    report.files = [FileResult(**one) for one in data["files"]]
    report.workflows = [WorkflowResult(**{**one, "codes": tuple(one["codes"])}) for one in data["workflows"]]
    report.findings = [
        Finding(one["path"], one["line"], one["column"], one["code"], one["level"], one["message"], one["action"])
        for one in data["findings"]
    ]
    report.seconds = data["summary"]["seconds"]
    return report
