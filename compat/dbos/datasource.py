"""``SQLAlchemyDatasource``: transactions of the application's own database that happen once.

A step alone happens at least once: a process may die after its commit and before its record. So a transaction writes a
marker row, with its result, together with the application's rows; when the step comes again it finds the row and
returns what it says. SQLAlchemy is the program's; it is imported when a datasource is made.
"""

from __future__ import annotations

import base64
import functools
import inspect
import pickle
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from compat.dbos.context import step_here, workflow_here
from compat.dbos.error import DBOSException
from compat.dbos.functions import StepRules
from compat.dbos.missing import refuse_arguments
from compat.dbos.steps import call_step
from compat.unsupported import UnsupportedFeatureError

if TYPE_CHECKING:
    from collections.abc import Callable

_TABLE: Final = "resonate_transaction_outputs"
_ATTEMPTS: Final = 10
_SERIALIZATION_FAILURES: Final = ("40001", "40P01")
_session: Final[ContextVar[Any]] = ContextVar("dbos_session", default=None)


def current_session() -> Any:
    """Return the session of the transaction that runs.

    Raises:
        DBOSException: none does.
    """
    found = _session.get()
    if found is None:
        raise DBOSException("sql_session works in a transaction only")
    return found


class SQLAlchemyDatasource:
    """A database of the application's.

    Args:
        engine: of SQLAlchemy, not async.
    """

    def __init__(self, engine: Any) -> None:
        import sqlalchemy as sa  # noqa: PLC0415 - only programs with a datasource have it

        self.engine = engine
        columns: list[Any] = [
            sa.Column("workflow_id", sa.String(512), primary_key=True),
            sa.Column("step_id", sa.Integer, primary_key=True, autoincrement=False),
            sa.Column("output", sa.Text, nullable=False),
        ]
        self._table = sa.Table(_TABLE, sa.MetaData(), *columns)
        self.run_migrations()

    @classmethod
    def create(cls, database_url: str, *, engine_kwargs: dict[str, Any] | None = None) -> SQLAlchemyDatasource:
        """Open a database by its URL."""
        import sqlalchemy as sa  # noqa: PLC0415 - only programs with a datasource have it

        return cls(sa.create_engine(database_url, **(engine_kwargs or {})))

    def run_migrations(self) -> None:
        """Make the table of the markers, if it is missing."""
        self._table.metadata.create_all(self.engine, checkfirst=True)

    def sql_session(self) -> Any:
        """Return the session of the transaction that runs.

        Raises:
            DBOSException: none does.
        """
        return current_session()

    def transaction(self, *, name: str | None = None, **unknown: Any) -> Callable[[Any], Any]:
        """Run a function in a transaction: once for each call of a workflow; plainly outside."""
        refuse_arguments("transaction", unknown)

        def decorate(function: Any) -> Any:
            if inspect.iscoroutinefunction(function):
                raise UnsupportedFeatureError("transaction of an async function", "make it a plain function")
            rules = StepRules(name or function.__qualname__)

            @functools.wraps(function)
            def called(*args: Any, **kwargs: Any) -> Any:
                return self._called(rules, function, args, kwargs)

            return called

        return decorate

    def run_named(self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a function in a transaction, recorded under a name."""
        return self._called(StepRules(name), function, args, kwargs)

    def run_tx_step(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run any function in a transaction."""
        return self._called(StepRules(function.__qualname__), function, args, kwargs)

    def _called(self, rules: StepRules, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if step_here.get() is not None or _session.get() is not None:
            raise AssertionError(f"transaction {rules.name} is called in a step or another transaction")
        if workflow_here.get() is None:
            return self._attempted(None, function, args, kwargs)

        def once(*args: Any, **kwargs: Any) -> Any:
            here = step_here.get()
            if here is None:
                raise AssertionError("a recorded step knows its place")
            return self._attempted((here.workflow_id, here.step_id), function, args, kwargs)

        return call_step(rules, once, args, kwargs)

    def _attempted(
        self, key: tuple[str, int] | None, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Try until the database does not refuse the transaction for another one's sake."""
        import sqlalchemy.exc  # noqa: PLC0415 - only programs with a datasource have it

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._transacted(key, function, args, kwargs)
            except sqlalchemy.exc.DBAPIError as error:
                is_marked = key is not None and self._marker(key) is not None  # another process was faster
                state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
                if attempt == _ATTEMPTS or not (is_marked or state in _SERIALIZATION_FAILURES):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _transacted(self, key: tuple[str, int] | None, function: Any, args: Any, kwargs: Any) -> Any:
        import sqlalchemy.orm  # noqa: PLC0415 - only programs with a datasource have it

        if key is not None and (found := self._marker(key)) is not None:
            return pickle.loads(base64.b64decode(found))  # noqa: S301 - this program wrote it into its own database
        engine = self.engine
        if engine.dialect.name != "sqlite":
            engine = engine.execution_options(isolation_level="SERIALIZABLE")
        with sqlalchemy.orm.Session(engine) as session, session.begin():
            token = _session.set(session)
            try:
                value = function(*args, **kwargs)
            finally:
                _session.reset(token)
            if key is not None:
                output = base64.b64encode(pickle.dumps(value)).decode()
                session.execute(self._table.insert().values(workflow_id=key[0], step_id=key[1], output=output))
        return value

    def _marker(self, key: tuple[str, int]) -> str | None:
        import sqlalchemy as sa  # noqa: PLC0415 - only programs with a datasource have it

        columns = self._table.c
        wanted = sa.select(columns.output).where(columns.workflow_id == key[0], columns.step_id == key[1])
        with self.engine.connect() as connection:
            found: str | None = connection.execute(wanted).scalar()
        return found
