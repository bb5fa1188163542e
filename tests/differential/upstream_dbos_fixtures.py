"""What dbos's own tests are given: a launched DBOS on a store of its own, a client, and helpers by their names."""

from __future__ import annotations

import asyncio
import time

import pytest
from dbos import DBOS, DBOSClient
from upstream_dbos_private import PrivateNameError


@pytest.fixture(autouse=True)
def store_of_this_test(tmp_path, monkeypatch):
    monkeypatch.setenv("RESONATE_URL", f"sqlite:///{tmp_path}/resonate.db")


def using_sqlite():
    return True


def imprecise_timestamps():
    return False


@pytest.fixture
def skip_with_sqlite():
    pytest.skip("dbos skips it on SQLite")


@pytest.fixture
def skip_with_sqlite_imprecise_time():
    pass


def default_config(sqlite_path):
    return {
        "name": "test-app",
        "application_database_url": f"sqlite:///{sqlite_path}",
        "system_database_url": f"sqlite:///{sqlite_path}",
        "enable_otlp": False,
        "notification_listener_polling_interval_sec": 0.01,
    }


@pytest.fixture
def sqlite_path(tmp_path):
    return tmp_path / "test.sqlite"


@pytest.fixture
def config(sqlite_path):
    return default_config(sqlite_path)


@pytest.fixture
def db_engine():
    import sqlalchemy

    engine = sqlalchemy.create_engine("sqlite://")
    yield engine
    engine.dispose()


@pytest.fixture
def cleanup_test_databases():
    DBOS.destroy(destroy_registry=True)


@pytest.fixture
def drop_test_databases(cleanup_test_databases):
    pass


@pytest.fixture
def migrated_system_database():
    raise PrivateNameError("tables of dbos")


@pytest.fixture
def dbos(config, cleanup_test_databases):
    found = DBOS(config=config)
    DBOS.launch()
    yield found
    DBOS.destroy(destroy_registry=True)


@pytest.fixture
def dbos_dropped_databases(dbos):
    return dbos


@pytest.fixture
def client(config, dbos):
    found = DBOSClient(
        application_database_url=config["application_database_url"], system_database_url=config["system_database_url"]
    )
    yield found
    found.destroy()


@pytest.fixture
def dbos_fastapi(config, cleanup_test_databases):
    from fastapi import FastAPI

    app = FastAPI()
    found = DBOS(fastapi=app, config=config)
    DBOS.launch()
    yield found, app
    DBOS.destroy(destroy_registry=True)


@pytest.fixture
def dbos_flask(config, cleanup_test_databases):
    from flask import Flask

    app = Flask(__name__)
    found = DBOS(flask=app, config=config)
    DBOS.launch()
    yield found, app
    DBOS.destroy(destroy_registry=True)


@pytest.fixture
def setup_in_memory_otlp_collector():
    raise PrivateNameError("spans and logs that dbos exports")


TestOtelType = tuple


def ensure_application_database():
    pass


def set_workflow_status(*_):
    raise PrivateNameError("set_workflow_status writes into dbos's tables")


def reexecute_workflow_by_id(*_):
    raise PrivateNameError("reexecute_workflow_by_id writes into dbos's tables")


def wait_for_client_listener(*_):
    raise PrivateNameError("wait_for_client_listener")


def queue_entries_are_cleaned_up(_):
    for _ in range(50):
        if not DBOS.list_queued_workflows():
            return True
        time.sleep(0.1)
    return False


def retry_until_success(func, interval=1, max_attempts=10):
    for attempt in range(max_attempts):
        try:
            return func()
        except Exception:
            if attempt == max_attempts - 1:
                raise
            time.sleep(interval)
    return None


async def retry_until_success_async(func, interval=1, max_attempts=10):
    for attempt in range(max_attempts):
        try:
            return func()
        except Exception:
            if attempt == max_attempts - 1:
                raise
            await asyncio.sleep(interval)
    return None
