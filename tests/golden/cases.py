"""Golden cases: ``fixtures/<source>/<code or code-slug>/<case>/`` with ``before.py`` or ``before/``.

``after.py`` or ``after/`` is what comes out; without it the case says "leave this alone". ``case.toml`` may say::

    source = "temporal"                        # default: the name of the directory
    tiers = { Greeting = "idiomatic" }         # by workflow
    findings = ["RM502 before.py:12", ...]     # code, path, line; all of the run, notes included
    max_tier = "compat"                        # options of the run; "helper" if the case does not say
    exit = 3                                   # expected exit code if not 0

An ``after/`` holds every file, unchanged ones too; new files are only there.
"""

from __future__ import annotations

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path

FIXTURES = Path(__file__).parents[2] / "fixtures"
SOURCES = ("temporal", "dbos", "engine", "project")


@dataclass(frozen=True)
class Case:
    directory: Path
    source: str
    settings: dict

    @property
    def name(self) -> str:
        return self.directory.relative_to(FIXTURES).as_posix()

    @property
    def code(self) -> str:
        return self.directory.parent.name.split("-")[0]

    @property
    def is_project(self) -> bool:
        return (self.directory / "before").is_dir()

    @property
    def is_left_alone(self) -> bool:
        return not (self.directory / "after").exists() and not (self.directory / "after.py").exists()

    def start(self) -> Path:
        return self.directory / ("before" if self.is_project else "before.py")

    def before(self) -> dict[str, bytes]:
        return _files(self.start())

    def after(self) -> dict[str, bytes]:
        if self.is_left_alone:
            return self.before()
        if self.is_project:
            return _files(self.directory / "after")
        return {"before.py": (self.directory / "after.py").read_bytes()}

    def write_after(self, files: dict[str, bytes]) -> None:
        if files == self.before():
            shutil.rmtree(self.directory / "after", ignore_errors=True)
            (self.directory / "after.py").unlink(missing_ok=True)
            return
        for path, data in files.items():
            target = self.directory / "after" / path if self.is_project else self.directory / "after.py"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def write_findings(self, found: list[str]) -> None:
        file = self.directory / "case.toml"
        kept = file.read_text("utf-8") if file.exists() else ""
        head = kept.split("findings = [")[0].rstrip()
        lines = "".join(f'    "{one}",\n' for one in found)
        text = f"{head}\n" if head else ""
        text += f"findings = [\n{lines}]\n" if found else "findings = []\n"
        file.write_text(text, "utf-8")


def _files(start: Path) -> dict[str, bytes]:
    if start.is_file():
        return {start.name: start.read_bytes()}
    return {
        file.relative_to(start).as_posix(): file.read_bytes()
        for file in sorted(start.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    }


def all_cases() -> list[Case]:
    cases = []
    for source in SOURCES:
        for start in sorted((FIXTURES / source).glob("*/*/before*")):
            directory = start.parent
            file = directory / "case.toml"
            settings = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
            cases.append(Case(directory, settings.get("source", source), settings))
    return cases
