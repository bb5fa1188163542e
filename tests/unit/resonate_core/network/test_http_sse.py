"""Events come out whole, however the network has cut them."""

from __future__ import annotations

import pytest

from resonate_core.network.sse import COMMENT, EVENT_BYTES_MAX, EventParser, write_event

STREAM = (
    COMMENT + write_event(b'{"a":1}') + COMMENT + b"event: x\nid: 1\ndata:one\ndata: two\r\n\r\n" + write_event(b"{}")
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, len(STREAM)])
def test_stream_cut_anywhere_gives_the_same_events(size):
    parser = EventParser()
    events = [event for at in range(0, len(STREAM), size) for event in parser.feed(STREAM[at : at + size])]
    assert events == [b'{"a":1}', b"one\ntwo", b"{}"]


def test_event_without_end_is_refused():
    parser = EventParser()
    with pytest.raises(ValueError, match="more than"):
        parser.feed(b"data: " + b"x" * (EVENT_BYTES_MAX + 1))
