"""``SQLAlchemyDatasource`` under DBOS's names: a step in a workflow, a plain transaction outside."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from compat.dbos.context import step_here, workflow_here
from compat.dbos.error import DBOSException
from compat.dbos.functions import StepRules
from compat.dbos.missing import refuse_arguments
from compat.dbos.steps import call_step
from compat.unsupported import UnsupportedFeatureError
from resonate_core import SQLAlchemyDatasource as Datasource
from resonate_core import current_session as session_here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def current_session() -> Any:
    """Return the session of the transaction that runs.

    Raises:
        DBOSException: none does.
    """
    found = session_here()
    if found is None:
        raise DBOSException("sql_session works in a transaction only")
    return found


class SQLAlchemyDatasource(Datasource):
    """A database of the application's.

    Args:
        engine: of SQLAlchemy, not async.
    """

    def sql_session(self) -> Any:
        """Return the session of the transaction that runs.

        Raises:
            DBOSException: none does.
        """
        return current_session()

    @classmethod
    def create(  # noqa: PLR0917 - as DBOS has it
        cls,
        database_url: str,
        engine_kwargs: dict[str, Any] | None = None,
        engine: Any = None,
        schema: str | None = None,
        serializer: Any = None,
        sessionmaker: Any = None,
        run_migrations: bool = True,
    ) -> SQLAlchemyDatasource:
        """Open a database by its URL, or take an engine that is there."""
        refuse_arguments("SQLAlchemyDatasource.create", {"serializer": serializer})
        return super().create(
            database_url, engine_kwargs, engine, schema, sessionmaker=sessionmaker, run_migrations=run_migrations
        )

    def transaction(self, func: Any = None, *, name: str | None = None, isolation_level: str = "SERIALIZABLE") -> Any:
        """Run a function in a transaction: once for each call of a workflow; plainly outside."""

        def decorate(function: Any) -> Any:
            if inspect.iscoroutinefunction(function):
                raise UnsupportedFeatureError("transaction of an async function", "make it a plain function")
            rules = StepRules(name or function.__qualname__)

            @functools.wraps(function)
            def called(*args: Any, **kwargs: Any) -> Any:
                return self._called(rules, function, args, kwargs, isolation_level)

            return called

        return decorate if func is None else decorate(func)

    def run_named(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a function in a transaction, recorded under a name."""
        return self._called(StepRules(name), function, args, kwargs)

    def run_tx_step(
        self, ds_options: Mapping[str, Any] | None, func: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        """Run any function in a transaction; ``ds_options`` has its name and isolation level."""
        given = dict(ds_options or {})
        rules = StepRules(given.pop("name", None) or func.__qualname__)
        level = given.pop("isolation_level", "SERIALIZABLE")
        refuse_arguments("run_tx_step", given)
        return self._called(rules, func, args, kwargs, level)

    def _called(
        self,
        rules: StepRules,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        level: str = "SERIALIZABLE",
    ) -> Any:
        if step_here.get() is not None or session_here() is not None:
            raise AssertionError(f"transaction {rules.name} is called in a step or another transaction")
        if workflow_here.get() is None:
            return self.run_once(None, functools.partial(function, *args, **kwargs), level)

        def once(*args: Any, **kwargs: Any) -> Any:
            here = step_here.get()
            if here is None:
                raise AssertionError("a recorded step knows its place")
            key = f"{here.workflow_id}/{here.step_id}"
            return self.run_once(key, functools.partial(function, *args, **kwargs), level)

        return call_step(rules, once, args, kwargs)
