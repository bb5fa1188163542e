"""A launched DBOS on each embedded store."""

from __future__ import annotations

import pytest

from compat.dbos import DBOS


@pytest.fixture(params=["memory", "sqlite"])
def dbos(request, tmp_path, monkeypatch):
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/r.db"
    monkeypatch.setenv("RESONATE_URL", url)
    DBOS(config={"name": "test"})
    DBOS.launch()
    yield DBOS
    DBOS.destroy()
