"""Messages of streams are bounded, and so is the number of streams."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import BusyError, TooManyRequestsError
from jupyter_ppo.web.models import Answer
from jupyter_ppo.web.streams import OpenStreams
from jupyter_ppo.web.training_stream import MAX_MESSAGE_BYTES, next_message


class Sized(Answer):
    items: list[str]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 400_000), max_size=40), st.integers(0, 5), st.integers(1, 50))
def test_messages_hold_all_items_in_order_and_only_a_large_item_makes_a_large_one(
    sizes: list[int], start: int, first: int
) -> None:
    texts = ["x" * size for size in sizes]

    def read(since: int, limit: int) -> tuple[Answer, int, int]:
        part = texts[since : since + limit]
        return Sized(items=part), len(part), since + len(part)

    cursor, found = min(start, len(texts)), []
    fit = first
    for _ in itertools.repeat(None):
        text, after, fit = next_message(read, cursor, fit)
        if text is None:
            assert after == cursor
            break
        items = json.loads(text)["items"]
        assert len(text) <= MAX_MESSAGE_BYTES or len(items) == 1
        found += items
        cursor = after
    assert found == texts[min(start, len(texts)) :]


class Closed:
    """A stream that remembers how it was closed."""

    def __init__(self) -> None:
        self.code = 0

    def shut(self, code: int, reason: str) -> None:
        self.code = code


def test_streams_are_bounded_by_person_and_in_all_and_none_begins_at_the_end() -> None:
    streams = OpenStreams(per_user=2, in_all=3)
    kept = [Closed() for _ in range(3)]
    for stream, user in zip(kept, ("sam", "sam", "sue"), strict=True):
        streams.enter(stream, user)
    with pytest.raises(TooManyRequestsError, match="2 streams"):
        streams.enter(Closed(), "sam")
    with pytest.raises(BusyError, match="as it can"):
        streams.enter(Closed(), "oto")
    for _ in range(2):
        streams.leave(kept[0])
    streams.enter(Closed(), "oto")
    streams.close()
    assert [stream.code for stream in kept] == [0, 1001, 1001]
    with pytest.raises(BusyError, match="stopping"):
        streams.enter(Closed(), "ada")
