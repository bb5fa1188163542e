from __future__ import annotations

import json

import jsonschema
import pytest

from migrate.errors import UsageError
from migrate.findings import Finding
from migrate.report.diff import count, lines_of, unified
from migrate.report.files import render_file
from migrate.report.model import FileResult, Report, WorkflowResult, from_json, to_json
from migrate.report.text import render

NUMBERS = ["files", "rewritten", "workflows", "idiomatic", "helper", "compat", "manual", "findings", "seconds"]
HOSTILE = '<script>alert(1)</script> | `x` & "y"\n'

CONTRACT = {
    "type": "object",
    "required": ["version", "source", "root", "dry_run", "files", "workflows", "findings", "summary"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": 1},
        "source": {"enum": ["temporal", "dbos", "auto"]},
        "root": {"type": "string"},
        "dry_run": {"type": "boolean"},
        "files": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path", "status", "added", "removed", "reason"],
                "properties": {
                    "path": {"type": "string"},
                    "status": {"enum": ["rewritten", "unchanged", "skipped", "failed"]},
                    "added": {"type": "integer"},
                    "removed": {"type": "integer"},
                    "reason": {"type": ["string", "null"]},
                },
            },
        },
        "workflows": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "path", "line", "tier", "codes"],
                "properties": {
                    "name": {"type": "string"},
                    "path": {"type": "string"},
                    "line": {"type": "integer"},
                    "tier": {"enum": ["idiomatic", "helper", "compat", "manual"]},
                    "codes": {"type": "array", "items": {"type": "string", "pattern": r"^RM\d{3}$"}},
                },
            },
        },
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["code", "level", "path", "line", "column", "message", "action"],
                "properties": {
                    "code": {"type": "string", "pattern": r"^RM\d{3}$"},
                    "level": {"enum": ["note", "review", "manual", "error"]},
                    "path": {"type": "string"},
                    "line": {"type": "integer", "minimum": 1},
                    "column": {"type": "integer", "minimum": 1},
                    "message": {"type": "string"},
                    "action": {"type": "string"},
                },
            },
        },
        "summary": {
            "type": "object",
            "additionalProperties": False,
            "required": NUMBERS,
            "properties": {name: {"type": "number"} for name in NUMBERS},
        },
    },
}  # fmt: skip


@pytest.fixture
def report():
    made = Report("temporal", "src", dry_run=True)
    made.files = [
        FileResult("a <b>.py", "rewritten", 1, 1, None, f"x = 1\n# {HOSTILE}", f"x = 2\n# {HOSTILE}"),
        FileResult("b.py", "failed", reason=HOSTILE.strip()),
        FileResult("c.py", "skipped", reason="does not use temporalio"),
    ]
    made.workflows = [WorkflowResult(HOSTILE.strip(), "a <b>.py", 3, "helper", ("RM110",))]
    made.findings = [
        Finding("a <b>.py", 4, 2, "RM010", "manual", HOSTILE.strip(), "do it"),
        Finding("a <b>.py", 5, 1, "RM007", "review", "a comment"),
        Finding("a <b>.py", 6, 1, "RM502", "note", "good to know"),
        Finding("b.py", 1, 1, "RM001", "error", "does not parse"),
    ]
    made.seconds = 0.4321
    return made


def test_json_keeps_the_contract_and_comes_back(report):
    data = to_json(report)
    jsonschema.validate(data, CONTRACT)
    assert data["summary"] == {
        **dict.fromkeys(NUMBERS, 0), "files": 2, "rewritten": 1, "workflows": 1, "helper": 1, "findings": 4,
        "seconds": 0.432,
    }  # fmt: skip
    assert to_json(from_json(json.loads(json.dumps(data)))) == data


def test_json_of_another_version_is_refused(report):
    with pytest.raises(UsageError, match="version 1, found 2"):
        from_json({**to_json(report), "version": 2})


def test_html_is_one_file_and_escapes_everything(report):
    html = render_file(report, ".html")
    assert "<script" not in html
    assert "src=" not in html
    assert "href=" not in html
    assert html.count("&lt;script&gt;alert(1)") == 4  # reason, workflow, message, the line of the diff
    assert 'class="add">+x = 2<' in html


def test_markdown_cannot_be_broken_out_of(report):
    text = render_file(report, ".md")
    assert "<script" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.replace("\\|", "").count("|") for row in rows} <= {4, 5}
    assert "* [ ] `RM010` a &lt;b>.py:4" in text
    assert "* `RM502` a &lt;b>.py:6" in text


def test_sarif_names_rules_places_and_levels(report):
    log = json.loads(render_file(report, ".sarif"))
    run = log["runs"][0]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]][:3] == ["RM001", "RM007", "RM010"]
    first = run["results"][0]
    assert (first["ruleId"], first["level"]) == ("RM010", "warning")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20%3Cb%3E.py"
    assert place["region"] == {"startLine": 4, "startColumn": 2}


def test_text_has_the_diff_only_if_asked_and_the_summary_always(report):
    short = [text for _, text in render(report, diff=False)]
    long = [text for _, text in render(report, diff=True)]
    assert "+x = 2" not in short
    assert "+x = 2" in long
    assert long[-2:] == short[-2:]
    assert short[-2] == "1 workflow: 1 helper"
    assert short[-1] == "2 files, 1 would be rewritten (+1 -1), 1 failed, 4 findings, 0.4 s"


def test_text_of_an_empty_run_says_why():
    assert render(Report("auto", ".", dry_run=False), diff=True)[-1][1].startswith("nothing to do: no file imports")


def test_diff_counts_lines_that_look_like_headers():
    assert count("a\n-- x\n", "a\n++ y\n") == (1, 1)
    assert count("a\x0cb\nc\n", "a\x0cb\nd\n") == (1, 1)
    assert lines_of("a\n\x0cb") == ["a\n", "\x0cb"]


def test_diff_says_missing_line_end_and_new_file():
    text = "".join(unified(FileResult("a.py", "rewritten", 1, 0, None, "", "x")))
    assert text == "--- /dev/null\n+++ b/a.py\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n"
