"""Is there work that no commit holds?"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from migrate.errors import RefusedError

if TYPE_CHECKING:
    from pathlib import Path


def check_clean(root: Path) -> None:
    """Refuse to write into a dirty work tree; outside of git everything is fine.

    Only what is below ``root`` counts. Untracked files count if they are Python: a run could overwrite them.

    Raises:
        RefusedError: there are changes that no commit holds.
    """
    command = ["git", "-C", str(root), "status", "--porcelain", "-z", "--untracked-files=all", "--", "."]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=120)  # noqa: S603 - fixed words
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.returncode != 0:
        return
    entries = [entry for entry in done.stdout.decode("utf-8", "replace").split("\0") if entry]
    dirty = [entry[3:] for entry in entries if not entry.startswith("?? ") or entry.endswith(".py")]
    if dirty:
        others = f" and {len(dirty) - 1} more" if len(dirty) > 1 else ""
        what = f"the git work tree has changes that no commit holds ({dirty[0]}{others})"
        raise RefusedError(f"{what}: commit them, or say --allow-dirty")
