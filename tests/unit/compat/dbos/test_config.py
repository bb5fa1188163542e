"""Settings of ``DBOS(config=...)``."""

from __future__ import annotations

import pytest

from compat.dbos.config import check_config
from compat.unsupported import UnsupportedFeatureError


def test_settings_that_are_used_are_not_remarked_on(caplog: pytest.LogCaptureFixture) -> None:
    check_config(
        {"name": "app", "system_database_url": "sqlite:///app.db", "executor_id": "one", "max_executor_threads": None}
    )
    assert not caplog.records


def test_settings_without_effect_are_named(caplog: pytest.LogCaptureFixture) -> None:
    check_config({"name": "app", "max_executor_threads": 4, "conductor_key": "secret"})
    assert caplog.messages == [
        "on Resonate these settings of DBOS(config=...) have no effect: conductor_key, max_executor_threads"
    ]


def test_serializer_is_refused_before_anything_is_stored() -> None:
    with pytest.raises(UnsupportedFeatureError, match=r"serializer.*encoder"):
        check_config({"serializer": object()})
