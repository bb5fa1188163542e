"""The originals, one for the whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential import originals
from tests.differential.ahead import Ahead, quiet_last

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.differential.plan import Case


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put cases that run alone behind those that run side by side."""
    items[:] = quiet_last(items)


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real Temporal dev server."""
    with originals.temporal_server(tmp_path_factory.mktemp("temporal-server")) as address:
        yield address


@pytest.fixture(scope="session")
def sitecustomize(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare an import path on which real DBOS starts."""
    return originals.dbos_import_path(tmp_path_factory.mktemp("dbos-path"))


@pytest.fixture(scope="session")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ahead]:
    """Hold the cases that run side by side."""
    ahead = Ahead(tmp_path_factory.mktemp)
    yield ahead
    ahead.close()


@pytest.fixture
def ahead(request: pytest.FixtureRequest, begun: Ahead) -> Callable[[Callable[[Case, Path], None]], None]:
    """Carry out the case of a test, and begin the other cases of its function."""
    return lambda job: begun.run(request.node, job)
