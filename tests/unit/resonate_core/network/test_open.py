import sys

import pytest

from resonate_core.clock import VirtualClock
from resonate_core.errors import StoreError, UsageError
from resonate_core.network.open import open_network, sqlite_path


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite:", "sqlite://x", "resonate.db", "", "memory"])
def test_open_url_of_another_kind_names_what_is_supported(url):
    with pytest.raises(UsageError, match="memory:, sqlite:///relative"):
        open_network(url, group="g")


@pytest.mark.parametrize(
    ("url", "module", "package"),
    [("postgres://h/d", "resonate_pg", "resonate-pg"), ("nats://h", "resonate_nats", "resonate-nats")],
)
def test_open_url_that_needs_a_connector_names_the_package(url, module, package, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=f"pip install {package}"):
        open_network(url, group="g")


@pytest.mark.parametrize("url", ["sqlite:///", "sqlite:///dir/"])
def test_open_url_without_a_file_is_refused(url):
    with pytest.raises(UsageError, match="names no file"):
        open_network(url, group="g")


def test_sqlite_path_relative_stands_in_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sqlite_path("sqlite:///a/b.db") == tmp_path.resolve() / "a" / "b.db"
    assert sqlite_path(f"sqlite:///{tmp_path}/c.db") == tmp_path.resolve() / "c.db"


def test_open_memory_is_private_unless_shared():
    first, second = open_network("memory:", group="g"), open_network("memory:", group="g")
    shared = open_network("memory:", group="g", shared=first.server)
    assert first.server is shared.server is not second.server
    for network in (shared, first, second):
        network.stop()


def test_open_one_file_twice_is_one_server_until_the_last_stops(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    first, second = open_network(url, group="g"), open_network(url, group="h")
    assert first.server is second.server
    first.stop()
    first.stop()
    assert second.server._thread.is_alive()
    second.stop()
    assert not second.server._thread.is_alive()
    third = open_network(url, group="g")
    assert third.server is not second.server
    third.stop()


def test_open_one_file_with_other_settings_is_refused(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    network = open_network(url, group="g")
    with pytest.raises(UsageError, match="other settings"):
        open_network(url, group="g", synchronous="NORMAL")
    with pytest.raises(UsageError, match="other settings"):
        open_network(url, group="g", clock=VirtualClock())
    network.stop()


def test_open_with_an_unknown_durability_is_refused(tmp_path):
    with pytest.raises(UsageError, match="FULL or NORMAL, got 'OFF'"):
        open_network(f"sqlite:///{tmp_path}/a.db", group="g", synchronous="OFF")


def test_open_in_a_missing_directory_is_a_store_error(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        open_network(f"sqlite:///{tmp_path}/none/a.db", group="g")


def test_network_addresses_name_group_and_process():
    network = open_network("memory:", group="g", pid="w1")
    assert (network.anycast, network.unicast) == ("poll://any@g", "poll://uni@g/w1")
    assert (network.address("other"), network.address("poll://uni@a/b")) == ("poll://any@other", "poll://uni@a/b")
    network.stop()


def test_open_with_a_retry_of_nothing_is_refused():
    with pytest.raises(UsageError, match="at least 1"):
        open_network("memory:", group="g", retry_ms=0)


def test_open_url_says_how_durable_a_file_is(tmp_path):
    network = open_network(f"sqlite:///{tmp_path}/a.db?synchronous=NORMAL", group="g")
    assert network.server.store.path == str(tmp_path.resolve() / "a.db")
    network.stop()


@pytest.mark.parametrize("options", ["", "synchronous=OFF", "mode=ro", "synchronous=FULL&x=1"])
def test_open_url_with_other_options_is_refused(tmp_path, options):
    with pytest.raises(UsageError, match="unknown options"):
        open_network(f"sqlite:///{tmp_path}/a.db?{options}", group="g")
