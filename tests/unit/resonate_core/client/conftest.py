"""A client and worker on each embedded store; programs register what they define."""

from __future__ import annotations

import pytest

from resonate_core import Resonate


@pytest.fixture(params=["memory", "sqlite"])
def url(request, tmp_path):
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/resonate.db"


@pytest.fixture
def resonate(url):
    client = Resonate(url, synchronous="NORMAL")
    yield client
    client.stop(timeout=1)
