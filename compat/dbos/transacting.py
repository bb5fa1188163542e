"""The part of ``DBOS`` that 2.x had for the application's own database: ``@DBOS.transaction``, ``DBOS.sql_session``."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from compat.dbos.context import wishes, workflow_here
from compat.dbos.datasource import current_session
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from compat.dbos.runtime import Runtime


class ClassProperty:
    """A property of the class itself: ``DBOS.workflow_id``."""

    def __init__(self, get: Callable[[], Any]) -> None:
        self._get = get
        self.__doc__ = get.__doc__

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self._get()


class Transacting:
    """Transactions in the database that the configuration names."""

    @classmethod
    def launched(cls) -> Runtime:
        """Return what ``launch`` has started."""
        raise NotImplementedError

    @classmethod
    def transaction(
        cls, isolation_level: str = "SERIALIZABLE", *, name: str | None = None
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Run a function in a transaction, once for each call of a workflow.

        Raises:
            UnsupportedFeatureError: another isolation, an async function; or, when it is called outside a workflow
                with an id that shall make it happen once.
        """
        if isolation_level != "SERIALIZABLE":
            raise UnsupportedFeatureError(f"DBOS.transaction({isolation_level!r})", "take the default, SERIALIZABLE")

        def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
            if inspect.iscoroutinefunction(function):
                raise UnsupportedFeatureError("DBOS.transaction of an async function", "make it a plain function")

            @functools.wraps(function)
            def called(*args: Any, **kwargs: Any) -> Any:
                if workflow_here.get() is None and wishes().workflow_id is not None:
                    raise UnsupportedFeatureError(
                        f"transaction {function.__qualname__} with a workflow id of its own", "call it in a workflow"
                    )
                return cls.launched().datasource.run_named(name or function.__qualname__, function, args, kwargs)

            return called

        return decorate

    @ClassProperty
    def sql_session() -> Any:
        """Session of the transaction that runs."""
        return current_session()
