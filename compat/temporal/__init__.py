"""Temporal's Python API on Resonate: a program runs with only its imports changed, and no Temporal server."""

from __future__ import annotations

from compat.conflicts import refuse_other
from compat.temporal.aliases import install

refuse_other()
install()
