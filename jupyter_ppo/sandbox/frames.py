"""What travels between the server and a container: frames of ZeroMQ messages over one byte stream.

A frame is ``u32 length, u8 channel, u8 parts, (u32 length, bytes) * parts``, big-endian; the first
length counts everything after itself. On the way out of the container the engine wraps the bytes in
its own chunks (``EngineStream``). Standard library only: this file also runs inside the container.

Every length is checked before it is believed, and nothing is kept beyond one frame.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

#: The longest frame either side accepts, in bytes.
MAX_FRAME: Final = 64 * 2**20
#: The most parts of one message; a Jupyter message has about seven and its buffers.
MAX_PARTS: Final = 255

_LENGTH: Final = struct.Struct(">I")
_HEAD: Final = struct.Struct(">BB")
#: Docker Engine API, "Attach to a container": stream type, three zeros, length.
_CHUNK: Final = struct.Struct(">BxxxI")
_STDERR_KEPT: Final = 8192


class Channel(IntEnum):
    """Where a frame belongs.

    META is the agent itself; SHELL to HB are a kernel's five sockets; STDOUT, STDERR and RESULT are
    what a program that is no kernel writes. BORDER carries the examiner's questions to the
    student's kernel and the answers; CHECK what the server and the examiner say to each other. RUN
    carries the files of a training run.
    """

    META = 0
    SHELL = 1
    IOPUB = 2
    STDIN = 3
    CONTROL = 4
    HB = 5
    STDOUT = 6
    STDERR = 7
    RESULT = 8
    BORDER = 9
    CHECK = 10
    RUN = 11


#: In a kernel, calling the enumeration would run code that a student's replaced builtins break.
_CHANNELS: Final = {int(channel): channel for channel in Channel}
#: A kernel's sockets.
KERNEL_CHANNELS: Final = (
    Channel.SHELL,
    Channel.IOPUB,
    Channel.STDIN,
    Channel.CONTROL,
    Channel.HB,
)


@dataclass(frozen=True)
class Frame:
    """One message of one channel."""

    channel: Channel
    parts: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """The bytes of all parts together."""
        return sum(map(len, self.parts))


def encode(channel: Channel, parts: Sequence[bytes]) -> bytes:
    """Return the bytes of one frame.

    Raises ``ValueError`` when the message has too many parts or is too long for the other side.
    """
    if len(parts) > MAX_PARTS:
        msg = f"A message of {len(parts)} parts; at most {MAX_PARTS} are allowed."
        raise ValueError(msg)
    length = _HEAD.size + sum(_LENGTH.size + len(part) for part in parts)
    if length > MAX_FRAME:
        msg = f"A message of {length} bytes; at most {MAX_FRAME} are allowed."
        raise ValueError(msg)
    pieces = [_LENGTH.pack(length), _HEAD.pack(channel, len(parts))]
    for part in parts:
        pieces += (_LENGTH.pack(len(part)), part)
    return b"".join(pieces)


class Decoder:
    """Turns bytes back into frames, however they are cut."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max = max_frame
        self._buffer = bytearray()

    def feed(self, data: bytes | bytearray) -> list[Frame]:
        """Add bytes and return the frames that are complete now.

        Raises ``ValueError`` on anything that ``encode`` does not make; the stream cannot be
        followed any further then.
        """
        self._buffer += data
        frames = []
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if not _HEAD.size <= length <= self._max:
                msg = f"A frame of {length} bytes; {_HEAD.size} to {self._max} are allowed."
                raise ValueError(msg)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                break
            with memoryview(self._buffer) as view, view[_LENGTH.size : end] as body:
                frames.append(_parse(body))
            del self._buffer[:end]
        return frames


def _parse(body: memoryview) -> Frame:
    number, count = _HEAD.unpack_from(body)
    channel = _CHANNELS.get(number)
    if channel is None:
        msg = f"{number} is not a valid Channel, of which a frame claims to be."
        raise ValueError(msg)
    parts = []
    at = _HEAD.size
    for _ in range(count):
        if at + _LENGTH.size > len(body):
            msg = "A frame ends before its last part begins."
            raise ValueError(msg)
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size
        if at + length > len(body):
            msg = "A frame ends within a part."
            raise ValueError(msg)
        parts.append(bytes(body[at : at + length]))
        at += length
    if at != len(body):
        msg = f"A frame has {len(body) - at} bytes after its last part."
        raise ValueError(msg)
    return Frame(channel, tuple(parts))


class EngineStream:
    """Takes the engine's chunks apart into standard output and the end of standard error."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left = 0
        self._is_output = False
        self._stderr = bytearray()

    @property
    def stderr(self) -> str:
        """The last bytes that the container wrote to standard error, as text."""
        return self._stderr.decode("utf-8", "replace")

    def feed(self, data: bytes | memoryview) -> bytearray:
        """Add bytes from the engine and return what they hold of standard output."""
        output = bytearray()
        at = 0
        while at < len(data):
            if self._left == 0:
                piece = data[at : at + _CHUNK.size - len(self._head)]
                self._head += piece
                at += len(piece)
                if len(self._head) == _CHUNK.size:
                    kind, self._left = _CHUNK.unpack(self._head)
                    self._is_output = kind == 1
                    self._head.clear()
                continue
            piece = data[at : at + self._left]
            at += len(piece)
            self._left -= len(piece)
            if self._is_output:
                output += piece
            else:
                self._stderr += piece
                del self._stderr[:-_STDERR_KEPT]
        return output
