"""The command line in a process of its own: every exit code, what is written, what is said where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

FLOW = """from dbos import DBOS


@DBOS.step()
def fetch(item: str) -> str:
    return item


@DBOS.workflow()
def {name}(item: str) -> str:
    # first
    return fetch(item)  # then
"""


def migrate(folder, *arguments, **environment):
    command = [sys.executable, "-m", "migrate", *arguments]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60)


def git(folder, *arguments):
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "flow.py").write_text(FLOW.format(name="order"))
    (tmp_path / "plain.py").write_text("import os\n")
    return tmp_path


def snapshot(folder):
    return {file: file.read_bytes() for file in sorted(folder.rglob("*.py"))}


def test_cli_rewrites_in_place_and_takes_it_back(folder):
    before = snapshot(folder)
    done = migrate(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 workflow: 1 idiomatic" in done.stdout
    text = (folder / "flow.py").read_text()
    assert "@durable()" in text
    assert "    # first\n    return (yield ctx.run(fetch, item))  # then\n" in text
    again = migrate(folder)
    assert (again.returncode, snapshot(folder)) == (0, {**before, folder / "flow.py": text.encode()})
    assert migrate(folder, "undo").returncode == 0
    assert snapshot(folder) == before
    assert migrate(folder, "undo").returncode == 4


def test_cli_dry_run_and_check_write_nothing(folder):
    before = sorted(folder.rglob("*"))
    dry = migrate(folder, ".", "--from", "dbos", "--dry-run")
    assert dry.returncode == 0
    assert "--- a/flow.py\n+++ b/flow.py\n" in dry.stdout
    assert "\x1b[" not in dry.stdout
    check = migrate(folder, "--check")
    assert check.returncode == 1
    assert "+++" not in check.stdout
    assert sorted(folder.rglob("*")) == before
    migrate(folder)
    assert migrate(folder, "--check").returncode == 0


def test_cli_json_is_the_contract_with_the_root_as_it_was_named(folder):
    (folder / "src").mkdir()
    (folder / "flow.py").rename(folder / "src" / "flow.py")
    done = migrate(folder, "./src", "--from", "dbos", "--dry-run", "--format", "json")
    data = json.loads(done.stdout)
    assert (data["version"], data["source"], data["root"], data["dry_run"]) == (1, "dbos", "src", True)
    assert data["files"][0]["path"] == "flow.py"
    assert data["workflows"] == [{**data["workflows"][0], "name": "order", "path": "flow.py", "tier": "idiomatic"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "path 'nowhere' does not exist"),
        (["--from", "cadence"], "--from 'cadence' is unknown: expected temporal, dbos or auto"),
        (["--select", "X1"], "'X1' is no code"),
        (["--report", "out.pdf"], "expected a name that ends in"),
        (["--nonsense"], "--nonsense"),
        (["--interactive"], "no terminal"),
        (["explain", "RM000"], "there is no rule 'RM000'"),
        (["report"], "there was no run here yet"),
    ],
)
def test_cli_wrong_usage_ends_with_two_and_changes_nothing(folder, arguments, message):
    before = snapshot(folder)
    done = migrate(folder, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert snapshot(folder) == before


def test_cli_configuration_mistake_ends_with_two(folder):
    (folder / "pyproject.toml").write_text("[tool.resonate-migrate]\nexlude = []\n")
    done = migrate(folder)
    assert done.returncode == 2
    assert "did you mean 'exclude'" in done.stderr


def test_cli_configuration_file_is_respected(folder):
    (folder / "pyproject.toml").write_text('[tool.resonate-migrate]\nexclude = ["flow.py"]\nfrom = "dbos"\n')
    assert migrate(folder, "--check").returncode == 0
    assert migrate(folder, "--check", "--exclude", "other.py").returncode == 1


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("bad.py", b"import dbos\ndef (:\n", "does not parse: invalid syntax (line 2)"),
        ("latin.py", b"import dbos\n# \xe9\n", "does not decode: 'utf-8' codec can't decode byte 0xe9"),
    ],
)
def test_cli_bad_file_is_one_line_and_three_and_the_others_are_done(folder, name, data, reason):
    (folder / name).write_bytes(data)
    done = migrate(folder)
    assert done.returncode == 3
    assert done.stderr.startswith(f"{name}: {reason}")
    assert len(done.stderr.splitlines()) == 1
    assert "@durable()" in (folder / "flow.py").read_text()
    assert (folder / name).read_bytes() == data


def test_cli_read_only_file_is_left_with_what_belongs_to_it(folder):
    (folder / "other.py").write_text(FLOW.format(name="other"))
    (folder / "flow.py").chmod(0o444)
    before = (folder / "flow.py").read_bytes()
    done = migrate(folder)
    assert (done.returncode, done.stderr) == (3, "flow.py: is read-only\n")
    assert (folder / "flow.py").read_bytes() == before
    assert "2 workflows: 1 idiomatic, 1 manual" in done.stdout
    assert "@durable()" in (folder / "other.py").read_text()
    again = json.loads(migrate(folder, "--format", "json", "--allow-dirty").stdout)
    assert [(one["code"], one["path"]) for one in again["findings"]] == [("RM006", "flow.py")]


def test_cli_dirty_tree_is_refused_unless_allowed_and_never_for_dry_runs(folder):
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    (folder / "plain.py").write_text("import sys\n")
    refused = migrate(folder)
    assert refused.returncode == 4
    assert "plain.py" in refused.stderr
    assert "--allow-dirty" in refused.stderr
    assert migrate(folder, "--dry-run").returncode == 0
    git(folder, "commit", "-qam", "two")
    (folder / "notes.txt").write_text("untracked, and no code")
    assert migrate(folder).returncode == 0
    assert migrate(folder, "--allow-dirty").returncode == 0
    status = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True)
    assert status.stdout == " M flow.py\n?? notes.txt\n"


def test_cli_new_python_file_that_git_does_not_know_counts_as_dirty(folder):
    git(folder, "init", "-q")
    assert migrate(folder).returncode == 4


def test_cli_killed_run_must_be_undone_first(folder):
    before = snapshot(folder)
    migrate(folder)
    record = folder / ".resonate-migrate" / "runs" / "0001.json"
    record.write_text(record.read_text().replace('"done"', '"writing"'))
    refused = migrate(folder)
    assert refused.returncode == 4
    assert "resonate-migrate undo" in refused.stderr
    assert migrate(folder, "undo").returncode == 0
    assert snapshot(folder) == before


def test_cli_user_code_is_never_run(folder):
    (folder / "flow.py").write_text("raise SystemExit('ran')\n" + FLOW.format(name="order"))
    (folder / "sitecustomize.py").write_text("import dbos\n")
    assert migrate(folder, "--dry-run").returncode == 0


def test_cli_without_anything_to_do_says_so(tmp_path):
    (tmp_path / "a.py").write_text("import os\n")
    done = migrate(tmp_path)
    assert done.returncode == 0
    assert "no file imports temporalio or dbos" in done.stdout


def test_cli_both_sdks_ask_for_a_choice(folder):
    (folder / "t.py").write_text("import temporalio\n")
    done = migrate(folder)
    assert done.returncode == 2
    assert "say --from temporal or --from dbos" in done.stderr


def test_cli_reports_are_written_and_rendered_again(folder):
    files = ["out/r.html", "out/r.md", "out/r.json", "out/r.sarif"]
    done = migrate(folder, *(word for file in files for word in ("--report", file)))
    assert done.returncode == 0
    assert all((folder / file).stat().st_size > 100 for file in files)
    assert migrate(folder, "report").stdout.startswith("order  idiomatic  flow.py:")
    assert migrate(folder, "report", "out/r.json", "-o", "again.md").returncode == 0
    assert (folder / "again.md").read_text() == (folder / "out" / "r.md").read_text()


def test_cli_scan_explain_rules_and_todo(folder):
    scan = migrate(folder, "scan")
    assert scan.returncode == 0
    assert "order  idiomatic  flow.py:10" in scan.stdout
    assert migrate(folder, "explain", "rm010").stdout.startswith("RM010  ")
    codes = [line.split()[0] for line in migrate(folder, "rules").stdout.splitlines()]
    assert codes == sorted(set(codes))
    assert {rule["code"] for rule in json.loads(migrate(folder, "rules", "--format", "json").stdout)} == set(codes)
    (folder / "plain.py").write_text("def f():\n    # RM142: look here\n    pass\n")
    assert migrate(folder, "todo").stdout == "plain.py:2  RM142  look here\n"
    assert json.loads(migrate(folder, "todo", "--format", "json").stdout)[0]["code"] == "RM142"


def test_cli_directory_named_like_a_subcommand_is_reached_with_a_dot(folder):
    (folder / "scan").mkdir()
    (folder / "flow.py").rename(folder / "scan" / "flow.py")
    assert migrate(folder, "./scan", "--check").returncode == 1


def test_cli_help_and_version_are_immediate(folder):
    for argument in ("--help", "--version"):
        best = 9.0
        for _ in range(5):
            began = time.process_time_ns(), time.monotonic()
            done = migrate(folder, argument)
            best = min(best, time.monotonic() - began[1])
            assert done.returncode == 0
        assert best < 0.4  # the goal is 0.15 s on a machine of one's own
    assert migrate(folder, "--help").stdout.startswith("Usage: resonate-migrate [PATHS]... [OPTIONS]\n")


def test_cli_help_imports_nothing_heavy(folder):
    code = (
        "import sys\nfrom migrate.__main__ import call\ncall(['--help'])\n"
        "print([name for name in ('libcst', 'rich', 'jinja2', 'pathspec', 'ast', 'asyncio') if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] in ("[]", "['ast']")
