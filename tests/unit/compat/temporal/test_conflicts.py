from __future__ import annotations

from pathlib import Path

import pytest

from compat.temporal import conflicts


def test_package_of_the_users_project_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "compat" / "__init__.py"
    theirs.parent.mkdir()
    theirs.touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="two packages are called 'compat'") as refused:
        conflicts.refuse_other()
    assert str(theirs) in str(refused.value)


def test_installed_packages_and_this_one_are_no_conflict(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages" / "compat.py"
    installed.parent.mkdir()
    installed.touch()
    ours = Path(conflicts.__file__).parent.parent.parent
    assert conflicts.find_other([str(installed.parent), str(ours)]) is None
