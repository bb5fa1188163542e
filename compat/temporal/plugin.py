"""``temporalio.plugin``, unchanged."""

from __future__ import annotations

from temporalio.plugin import *  # noqa: F403 - the module mirrors another
