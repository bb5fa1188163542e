"""What the codemod says of a shim is what the shim does."""

from __future__ import annotations

import pytest

from compat import dbos
from compat.dbos.missing import INSTEAD
from compat.unsupported import UnsupportedFeatureError
from migrate.targets import DBOS_RAISING, DBOS_REFUSED, SHIMS


def test_names_that_the_dbos_shim_refuses_are_those_that_the_codemod_knows():
    assert set(INSTEAD) == DBOS_REFUSED
    assert DBOS_RAISING < DBOS_REFUSED


@pytest.mark.parametrize("name", sorted(DBOS_RAISING))
def test_name_that_raises_when_it_is_reached_does_so(name):
    assert SHIMS["dbos"].raises(f"dbos.DBOS.{name}")
    assert not SHIMS["dbos"].refuses(f"dbos.DBOS.{name}")
    with pytest.raises(UnsupportedFeatureError, match=name):
        getattr(dbos.DBOS, name)
