"""Transactions happen once: the application's rows and the marker are one commit."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from compat.dbos import DBOS, SetWorkflowID, SQLAlchemyDatasource
from compat.dbos.error import DBOSException
from compat.unsupported import UnsupportedFeatureError

SOURCE: list[SQLAlchemyDatasource] = []


@pytest.fixture
def source(tmp_path):
    found = SQLAlchemyDatasource.create(f"sqlite:///{tmp_path}/app.db")
    with found.engine.begin() as connection:
        connection.execute(sa.text("create table paid (name text)"))
    SOURCE[:] = [found]
    yield found
    found.engine.dispose()


def pay(name: str) -> int:
    session = SOURCE[0].sql_session()
    session.execute(sa.text("insert into paid values (:name)"), {"name": name})
    if name == "nobody":
        raise ValueError("nobody pays")
    return int(session.execute(sa.text("select count(*) from paid")).scalar())


@DBOS.step()
def transacts_in_a_step() -> None:
    SOURCE[0].transaction()(pay)("x")


@DBOS.workflow()
def pays(*names: str) -> list[object]:
    counts: list[object] = []
    for name in names:
        try:
            counts.append(SOURCE[0].transaction(name="pay")(pay)(name))
        except ValueError as error:
            counts.append(str(error))
    return counts


@DBOS.workflow()
def pays_in_a_step() -> None:
    transacts_in_a_step()


@DBOS.transaction()
def pay_as_in_2(name: str) -> int:
    DBOS.sql_session.execute(sa.text("insert into paid values (:name)"), {"name": name})
    return int(DBOS.sql_session.execute(sa.text("select count(*) from paid")).scalar())


@DBOS.workflow()
def pays_as_in_2(*names: str) -> list[int]:
    return [pay_as_in_2(name) for name in names]


def rows(source) -> list[str]:
    with source.engine.connect() as connection:
        return list(connection.execute(sa.text("select name from paid")).scalars())


def test_transactions_commit_or_roll_back_with_their_results(dbos, source):
    with SetWorkflowID("w"):
        assert pays("a", "nobody", "b") == [1, "nobody pays", 2]
    assert rows(source) == ["a", "b"]


def test_transaction_outside_a_workflow_is_a_plain_one(source):
    assert source.run_tx_step({}, pay, "a") == 1
    with pytest.raises(ValueError, match="nobody"):
        source.run_tx_step({}, pay, "nobody")
    assert rows(source) == ["a"]
    with pytest.raises(DBOSException, match="sql_session"):
        source.sql_session()


def test_transaction_in_a_step_is_refused(dbos, source):
    with pytest.raises(AssertionError, match="pay"):
        pays_in_a_step()


def test_transactions_of_2_x_use_the_database_of_the_config(source, tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_URL", "memory:")
    DBOS(config={"name": "test", "application_database_url": f"sqlite:///{tmp_path}/app.db"})
    DBOS.launch()
    try:
        with SetWorkflowID("w"):
            assert pays_as_in_2("a", "b") == [1, 2]
        assert pay_as_in_2("c") == 3
        with SetWorkflowID("x"), pytest.raises(UnsupportedFeatureError, match="pay_as_in_2"):
            pay_as_in_2("d")
    finally:
        DBOS.destroy()
    assert rows(source) == ["a", "b", "c"]


def test_other_isolation_is_refused():
    with pytest.raises(UnsupportedFeatureError, match="READ COMMITTED"):
        DBOS.transaction("READ COMMITTED")
