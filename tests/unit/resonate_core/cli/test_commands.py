"""``resonate-core``: what a person sees of a store."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from resonate_core import Resonate, durable, step
from resonate_core.cli import main


@step()
def double(number: int) -> int:
    return 2 * number


@durable(name="child")
def child(ctx, number):
    return (yield ctx.run(double, number))


@durable(name="family")
def family(ctx, number):
    first = yield ctx.run(double, number)
    second = yield ctx.rpc(child, first)
    return second


@durable(name="asks")
def asks(ctx):
    return (yield (yield ctx.promise(id="question")))


@pytest.fixture
def url(tmp_path):
    url = f"sqlite:///{tmp_path}/r.db"
    with Resonate(url, synchronous="NORMAL") as resonate:
        resonate.register(family, child, asks)
        resonate.run("f", family, 1)
        resonate.begin_run("a", asks)
        resonate.schedule("nightly", "0 3 * * *", family, 1)
    return url


def call(url, *words):
    return CliRunner().invoke(main, [*words, "--url", url])


def test_tree_shows_children_under_their_parents(url):
    lines = call(url, "tree", "f").output.splitlines()
    assert [line.split("  ")[-2].strip() for line in lines] == ["f", "f.1", "f.2", "f.2.1"]
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 2, 2, 4]


def test_tree_of_nobody_says_so(url):
    result = call(url, "tree", "nobody")
    assert result.exit_code == 1
    assert "there is no execution or promise 'nobody'" in result.output


def test_executions_list_filters_by_state_and_prints_json(url):
    result = call(url, "executions", "list", "--state", "pending", "--json")
    assert [json.loads(line)["id"] for line in result.output.splitlines()] == ["a"]


def test_executions_cancel_of_a_finished_one_says_so(url):
    result = call(url, "executions", "cancel", "f")
    assert (result.exit_code, result.output) == (1, "Error: f has finished already: resolved\n")


def test_executions_cancel_reaches_the_next_worker(url):
    assert call(url, "executions", "cancel", "a", "--reason", "enough").output == "a was asked to cancel\n"
    with Resonate(url, synchronous="NORMAL") as resonate:
        resonate.register(asks)
        with pytest.raises(Exception, match="enough"):
            resonate.get("a").result(20)


def test_promises_resolve_takes_json_and_refuses_other_text(url):
    refused = call(url, "promises", "resolve", "question", "{not json")
    assert refused.exit_code == 1
    assert "data must be JSON text" in refused.output
    assert call(url, "promises", "resolve", "question", "[1]").output == "question is resolved with [1]\n"
    assert call(url, "promises", "resolve", "question", "2").output == "question is resolved with [1]\n"


def test_promises_search_by_tag(url):
    result = call(url, "promises", "search", "--tag", "resonate:origin=f", "--json")
    assert [json.loads(line)["id"] for line in result.output.splitlines()] == ["f", "f.1", "f.2", "f.2.1"]


def test_promises_search_with_a_bad_tag_is_a_usage_error(url):
    result = call(url, "promises", "search", "--tag", "oops")
    assert result.exit_code == 2
    assert "expected NAME=VALUE, got 'oops'" in result.output


def test_schedules_are_listed_and_deleted(url):
    assert "nightly  0 3 * * *" in call(url, "schedules", "list").output
    assert call(url, "schedules", "delete", "nightly").output == "nightly was deleted\n"
    assert "nightly" not in call(url, "schedules", "list").output
