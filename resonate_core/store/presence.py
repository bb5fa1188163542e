"""Which processes on a file are alive, told by the operating system.

Each process holds a lock on one byte, of its own number, of a small file beside the store. Whoever can take that lock
knows that the process is gone: the system lets go of locks however a process ends. No heartbeat, no clock, no timeout.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from typing import TYPE_CHECKING, ClassVar, Final

from resonate_core.clock import new_number

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: int, offset: int) -> bool:
        os.lseek(file, offset, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: int, offset: int) -> None:
        os.lseek(file, offset, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: int, offset: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, offset)
        except OSError:
            return False
        return True

    def _unlock(file: int, offset: int) -> None:
        fcntl.lockf(file, fcntl.LOCK_UN, 1, offset)


def _open(path: Path, *, like: Path) -> int:
    """Open the file beside the store, made with the store's permissions: who may use the one may use the other."""
    is_new = not path.exists()
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
    if is_new and like.exists():
        path.chmod(like.stat().st_mode & 0o666)
    return file


def _lock_some_number(file: int, taken: set[int]) -> int | None:
    for _ in range(_DRAW_COUNT_MAX):
        number = new_number(_NUMBER_BITS)
        if number not in taken and _try_lock(file, number):
            return number
    return None


#: A number that somebody else holds is rarer than one in a million; so many in a row means that there are no locks.
_DRAW_COUNT_MAX: Final = 8

#: Numbers stay below what every platform takes as an offset into a file.
_NUMBER_BITS: Final = 30


class Presence:
    """This process on one file.

    Locks of POSIX belong to the process, and closing any descriptor of a file drops all of them: so there is one
    descriptor for each file in the process, and our own numbers are known without asking the system.
    """

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _open: ClassVar[dict[Path, tuple[int, set[int]]]] = {}

    def __init__(self, store_path: Path) -> None:
        self._path = store_path.with_name(store_path.name + "-peers")
        with Presence._lock:
            file, numbers = Presence._open.get(self._path, (-1, set()))
            if not numbers:
                file = _open(self._path, like=store_path)
            number = _lock_some_number(file, numbers)
            if number is None and not numbers:
                os.close(file)
            if number is None:
                raise OSError(errno.ENOLCK, "the file system has no locks", str(self._path))
            numbers.add(number)
            self.number = number
            Presence._open[self._path] = (file, numbers)

    def is_alive(self, number: int) -> bool:
        """Whether the process of a number still runs."""
        with Presence._lock:
            file, numbers = Presence._open[self._path]
            if number in numbers:
                return True
            if not _try_lock(file, number):
                return True
            _unlock(file, number)
            return False

    def abandon(self) -> None:
        """In a forked child: forget, without closing anything, what the parent holds."""
        Presence._lock = threading.Lock()
        Presence._open.pop(self._path, None)

    def leave(self) -> None:
        """Let go; others see this process as gone."""
        with Presence._lock:
            file, numbers = Presence._open[self._path]
            numbers.remove(self.number)
            _unlock(file, self.number)
            if not numbers:
                os.close(file)
                del Presence._open[self._path]
