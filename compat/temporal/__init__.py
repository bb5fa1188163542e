"""Temporal's Python API on Resonate: a program runs with only its imports changed, and no Temporal server."""

from __future__ import annotations

from compat.temporal.aliases import install
from compat.temporal.conflicts import refuse_other

refuse_other()
install()
