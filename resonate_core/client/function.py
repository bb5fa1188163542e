"""``Function``: what ``register`` gives for a function; it can be called like it, and started by id."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from resonate_core.registry import describe

if TYPE_CHECKING:
    from resonate_core.client.handle import Handle
    from resonate_core.client.resonate import Resonate


class Function:
    """A registered function. ``options`` gives a copy; the original is never changed."""

    def __init__(self, client: Resonate, function: Any, name: str | None = None, version: int | None = None) -> None:
        functools.update_wrapper(self, function)
        self.func = function
        registered = describe(function, name=name, version=version)
        self.name = registered.name
        self.version = registered.version
        self._client = client

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, without any durability."""
        return self.func(*args, **kwargs)

    def __eq__(self, other: object) -> bool:
        return bool(self.func == (other.func if isinstance(other, Function) else other))

    def __hash__(self) -> int:
        return hash(self.func)

    def options(self, **changes: Any) -> Function:
        """Return a copy whose starts have these options."""
        return Function(self._client.options(**changes), self.func, self.name, self.version)

    def run(self, id: str, /, *args: Any, **kwargs: Any) -> Any:
        """Run it in this process and wait."""
        return self._client.run(id, self.func, *args, **kwargs)

    def begin_run(self, id: str, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin it in this process."""
        return self._client.begin_run(id, self.func, *args, **kwargs)

    def rpc(self, id: str, /, *args: Any, **kwargs: Any) -> Any:
        """Run it on any worker and wait."""
        return self._client.rpc(id, self.func, *args, **kwargs)

    def begin_rpc(self, id: str, /, *args: Any, **kwargs: Any) -> Handle[Any]:
        """Begin it on any worker."""
        return self._client.begin_rpc(id, self.func, *args, **kwargs)
