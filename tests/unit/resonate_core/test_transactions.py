"""Transactions of the application's database: its rows and the marker are one commit, and happen once."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from resonate_core import SQLAlchemyDatasource, UsageError, current_session, durable
from resonate_core.testing import VirtualResonate

SOURCES: list[SQLAlchemyDatasource] = []


@pytest.fixture
def source(tmp_path):
    found = SQLAlchemyDatasource.create(f"sqlite:///{tmp_path}/app.db")
    with found.engine.begin() as connection:
        connection.execute(sa.text("create table paid (name text)"))
    SOURCES[:] = [found]
    yield found
    found.engine.dispose()


@pytest.fixture
def client():
    client = VirtualResonate()
    client.register(pays)
    return client


def pay(name):
    session = SOURCES[0].sql_session()
    session.execute(sa.text("insert into paid values (:name)"), {"name": name})
    if name == "nobody":
        raise ValueError("nobody pays")
    return int(session.execute(sa.text("select count(*) from paid")).scalar()), name


@durable()
def pays(ctx, names):
    transact = SOURCES[0].transaction(name="pay")(pay)
    found = []
    for name in names:
        try:
            found.append((yield ctx.run(transact, name)))
        except ValueError as error:
            found.append(str(error))
    found.append((yield ctx.run(SOURCES[0].run_tx_step, {}, pay, "last")))
    return found


def rows(source):
    with source.engine.connect() as connection:
        return [name for (name,) in connection.execute(sa.text("select name from paid"))]


def markers(source):
    with source.engine.connect() as connection:
        return connection.execute(sa.text("select count(*) from resonate_transaction_outputs")).scalar()


def test_transactions_of_an_execution_are_steps_with_markers(client, source):
    assert client.run("w", pays, ["a", "b"]) == [(1, "a"), (2, "b"), (3, "last")]
    assert rows(source) == ["a", "b", "last"]
    assert markers(source) == 3


def test_transaction_that_fails_leaves_neither_rows_nor_marker(client, source):
    assert client.run("w", pays, ["nobody"]) == ["nobody pays", (1, "last")]
    assert rows(source) == ["last"]
    assert markers(source) == 1


def test_transaction_that_comes_again_gives_its_result_and_writes_nothing(source):
    assert source.run_once("w.1", lambda: pay("a")) == (1, "a")
    assert source.run_once("w.1", lambda: pay("b")) == (1, "a")
    assert rows(source) == ["a"]


def test_slower_one_of_two_that_commit_gives_what_the_faster_one_did(source):
    other = SQLAlchemyDatasource(source.engine)
    other._transacted = _with_other_first(other)
    assert other.run_once("w.1", lambda: pay("slow")) == (1, "fast")
    assert rows(source) == ["fast"]


def _with_other_first(source):
    """Let another process commit between the look for the marker and the transaction."""
    plain = SQLAlchemyDatasource._transacted
    calls = []

    def transacted(key, work, level):
        calls.append(key)
        if len(calls) == 1:
            found, source._marker = source._marker, lambda _: None
            plain(SOURCES[0], key, lambda: pay("fast"), level)
            try:
                return plain(source, key, work, level)
            finally:
                source._marker = found
        return plain(source, key, work, level)

    return transacted


def test_transaction_outside_a_step_is_a_plain_one(source):
    assert source.transaction(pay)("a") == (1, "a")
    assert source.run_tx_step(None, pay, "b") == (2, "b")
    assert markers(source) == 0


def test_transaction_in_a_transaction_is_refused(source):
    with pytest.raises(UsageError, match="transaction pay is called in another transaction"):
        source.run_tx_step({}, lambda: source.run_tx_step(None, pay, "a"))
    assert rows(source) == []


def test_session_outside_a_transaction_is_refused(source):
    assert current_session() is None
    with pytest.raises(UsageError, match="sql_session works in a transaction only"):
        source.sql_session()


def test_async_transaction_is_refused(source):
    async def pays_later():
        raise AssertionError("never runs")

    with pytest.raises(UsageError, match="transaction pays_later is async"):
        source.transaction()(pays_later)


def test_refusal_for_the_sake_of_another_transaction_is_tried_again(source):
    refusals = [2]

    def work():
        if refusals[0]:
            refusals[0] -= 1
            cause = RuntimeError("could not serialize")
            cause.sqlstate = "40001"
            raise sa.exc.OperationalError("insert", {}, cause)
        return pay("a")

    assert source.run_once("k", work) == (1, "a")
    assert rows(source) == ["a"]


def test_unknown_option_of_a_transaction_is_refused(source):
    with pytest.raises(UsageError, match="unknown option 'lock'"):
        source.run_tx_step({"lock": True}, pay, "a")


def test_datasource_takes_an_engine_and_makes_its_table_when_asked(source):
    other = SQLAlchemyDatasource.create("", engine=source.engine, run_migrations=False)
    other.run_migrations()
    assert other.run_tx_step({"name": "pay"}, pay, "a") == (1, "a")
