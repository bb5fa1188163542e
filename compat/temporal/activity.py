"""``temporalio.activity``, unchanged."""

from __future__ import annotations

from temporalio.activity import *  # noqa: F403 - the module mirrors another
