"""The report as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from migrate.rules.catalogue import rule_modules, rules

if TYPE_CHECKING:
    from migrate.findings import Finding
    from migrate.report.model import Report
    from migrate.rules.base import Rule

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"note": "note", "review": "warning", "manual": "warning", "error": "error"}


def to_sarif(report: Report) -> dict[str, Any]:
    """Return the report as a SARIF log."""
    used = {one.code for one in report.findings}
    known = [rule for rule in rules() if rule.code in used] if rule_modules() else []
    driver = {"name": "resonate-migrate", "rules": [_rule(one) for one in known]}
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"ROOT": {"description": {"text": "directory of the run"}}},
                "results": [_result(one) for one in report.findings],
            }
        ],
    }


def _rule(one: Rule) -> dict[str, Any]:
    return {
        "id": one.code,
        "name": one.title,
        "shortDescription": {"text": one.title},
        "fullDescription": {"text": one.what},
        "help": {"text": one.action},
        "defaultConfiguration": {"level": _LEVELS[one.level]},
    }


def _result(one: Finding) -> dict[str, Any]:
    text = f"{one.message}. {one.action}" if one.action else one.message
    return {
        "ruleId": one.code,
        "level": _LEVELS[one.level],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(one.path), "uriBaseId": "ROOT"},
                    "region": {"startLine": one.line, "startColumn": one.column},
                }
            }
        ],
    }


def _uri(path: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415 - only here

    return quote(path)
