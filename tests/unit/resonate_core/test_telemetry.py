"""Spans: one an attempt, one an execution, all of a tree in one trace."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from resonate_core import Backoff, Resonate, durable, step


@pytest.fixture
def spans():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with Resonate.local(tracer=provider.get_tracer("test")) as resonate:
        resonate.register(parent, child)
        with pytest.raises(ValueError, match="no"):
            resonate.run("p", parent)
    found = exporter.get_finished_spans()
    return {span.name + str(span.attributes.get("resonate.attempt", "")): span for span in found}


@step(retry_policy=Backoff(0, max_attempts=2))
async def unsure():
    assert trace.get_current_span().is_recording()
    raise ValueError("no")


@step()
def sure():
    assert trace.get_current_span().is_recording()


@durable(name="child")
def child(ctx):
    yield ctx.run(sure)


@durable(name="parent")
def parent(ctx):
    yield ctx.rpc(child)
    yield ctx.run(unsure)


def test_spans_of_a_tree_are_of_one_trace(spans):
    assert set(spans) == {"sure1", "child", "unsure1", "unsure2", "parent"}
    assert len({span.context.trace_id for span in spans.values()}) == 1


def test_span_of_a_failed_attempt_has_the_error(spans):
    assert [event.attributes["exception.type"] for event in spans["unsure2"].events] == ["ValueError"]


def test_spans_of_executions_say_how_they_ended(spans):
    assert spans["child"].status.is_ok
    assert not spans["parent"].status.is_ok
    assert spans["parent"].attributes["resonate.execution.id"] == "p"
    assert spans["parent"].start_time <= spans["child"].end_time


def test_spans_of_steps_stand_under_their_execution(spans):
    assert spans["unsure1"].parent.span_id == spans["unsure2"].parent.span_id
    assert spans["sure1"].parent.span_id != spans["unsure1"].parent.span_id
