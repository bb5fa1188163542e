"""The originals, one for the whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.differential import originals

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real Temporal dev server."""
    with originals.temporal_server(tmp_path_factory.mktemp("temporal-server")) as address:
        yield address


@pytest.fixture(scope="session")
def sitecustomize(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Prepare an import path on which real DBOS starts."""
    return originals.dbos_import_path(tmp_path_factory.mktemp("dbos-path"))
