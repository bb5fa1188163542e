from __future__ import annotations

import pytest

from tests.unit.resonate_core.scheduler.world import World


@pytest.fixture
def world():
    return World
