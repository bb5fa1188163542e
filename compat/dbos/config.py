"""Settings of ``DBOS(config=...)``: what they do here, and what is said of those that do nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, TypedDict

from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Mapping

_logger = logging.getLogger("dbos")


class DBOSConfig(TypedDict, total=False):
    """Settings that mean something here; others, about DBOS's own database or services, are named in the log."""

    name: str
    system_database_url: str | None
    database_url: str | None
    application_database_url: str | None
    application_version: str
    executor_id: str


#: Settings without which values would be stored otherwise than the program says.
_REFUSED: Final = {"serializer": "values are stored as JSON; give Resonate an encoder where they have to be encrypted"}


def check_config(config: Mapping[str, Any]) -> None:
    """Refuse settings that must not be passed over; say which ones have no effect.

    Raises:
        UnsupportedFeatureError: a serializer of the program's own.
    """
    given = {key for key, value in config.items() if value is not None}
    for key in sorted(given & _REFUSED.keys()):
        raise UnsupportedFeatureError(f"DBOS(config={{{key!r}: ...}})", _REFUSED[key])
    idle = sorted(given - DBOSConfig.__annotations__.keys())
    if idle:
        _logger.warning("on Resonate these settings of DBOS(config=...) have no effect: %s", ", ".join(idle))
