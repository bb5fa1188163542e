"""``temporalio.exceptions``, unchanged."""

from __future__ import annotations

from temporalio.exceptions import *  # noqa: F403 - the module mirrors another
