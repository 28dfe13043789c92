from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.sandbox.frames import (
    MAX_FRAME,
    MAX_PARTS,
    Channel,
    Decoder,
    EngineStream,
    Frame,
    encode,
)

channels = st.sampled_from(Channel)
parts = st.lists(st.binary(max_size=200), max_size=8).map(tuple)
frames = st.builds(Frame, channels, parts)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


@settings(deadline=None)
@given(st.lists(frames, max_size=6), st.lists(st.integers(0, 50), max_size=30))
def test_frames_come_back_however_the_stream_is_cut(sent: list[Frame], sizes: list[int]) -> None:
    data = b"".join(encode(frame.channel, frame.parts) for frame in sent)
    decoder = Decoder()
    received = [frame for piece in cut(data, sizes) for frame in decoder.feed(piece)]
    assert received == sent


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_give_frames_or_a_value_error(data: bytes) -> None:
    decoder = Decoder()
    try:
        received = decoder.feed(data)
    except ValueError:
        return
    again = b"".join(encode(frame.channel, frame.parts) for frame in received)
    assert data.startswith(again)


@settings(deadline=None)
@given(frames, st.data())
def test_a_frame_whose_length_is_wrong_is_refused(frame: Frame, data: st.DataObject) -> None:
    encoded = bytearray(encode(frame.channel, (*frame.parts, b"x")))
    true_length = len(encoded) - 4
    struct.pack_into(">I", encoded, 0, data.draw(st.integers(2, true_length - 1)))
    with pytest.raises(ValueError, match=r"frame|Channel"):
        Decoder().feed(bytes(encoded))


@pytest.mark.parametrize("length", [0, 1, MAX_FRAME + 1, 2**32 - 1])
def test_a_length_out_of_bounds_is_refused_before_the_frame_is_there(length: int) -> None:
    with pytest.raises(ValueError, match="bytes"):
        Decoder().feed(struct.pack(">I", length))


def test_an_unknown_channel_is_refused() -> None:
    unknown = max(Channel) + 1
    with pytest.raises(ValueError, match=f"{unknown} is not a valid Channel"):
        Decoder().feed(struct.pack(">IBB", 2, unknown, 0))


def test_bytes_after_the_last_part_are_refused() -> None:
    with pytest.raises(ValueError, match="after its last part"):
        Decoder().feed(struct.pack(">IBB", 3, 0, 0) + b"x")


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="parts"):
        encode(Channel.SHELL, [b""] * (MAX_PARTS + 1))


def test_a_message_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        encode(Channel.SHELL, [bytes(MAX_FRAME)])


chunks = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=60)), max_size=8)


@settings(deadline=None)
@given(chunks, st.lists(st.integers(0, 30), max_size=30))
def test_the_engines_chunks_are_taken_apart(
    sent: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    data = b"".join(struct.pack(">BxxxI", kind, len(text)) + text for kind, text in sent)
    stream = EngineStream()
    output = b"".join(stream.feed(piece) for piece in cut(data, sizes))
    assert output == b"".join(text for kind, text in sent if kind == 1)
    errors = b"".join(text for kind, text in sent if kind == 2)
    assert stream.stderr == errors.decode("utf-8", "replace")


def test_only_the_end_of_standard_error_is_kept() -> None:
    stream = EngineStream()
    for _ in range(100):
        stream.feed(struct.pack(">BxxxI", 2, 1000) + b"e" * 1000)
    assert len(stream.stderr) <= 10_000
