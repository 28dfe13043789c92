"""What the process that plays an episode tells, one record after another through a pipe.

A record is a line of JSON with the number of bytes that follow, behind their lengths.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from jupyter_ppo.domain.errors import DamagedFileError

_LENGTHS: Final = struct.Struct(">II")
_LARGEST: Final = 1 << 30
_READ_BYTES: Final = 1 << 16


class Said(StrEnum):
    """What a record says."""

    WORKING = "working"  # what the process does next: may take step_timeout
    BEGIN = "begin"
    MOMENT = "moment"
    WARNING = "warning"
    END = "end"
    FAILED = "failed"


class Phase(StrEnum):
    """What the process is at."""

    LOADING = "loading"
    STEP = "step"
    DRAW = "draw"


class SilentError(Exception):
    """Nothing came in time."""


def write_record(descriptor: int, head: Mapping[str, Any], payload: bytes = b"") -> None:
    """Write one record; raise ``OSError`` when nobody reads any more."""
    text = json.dumps(dict(head), separators=(",", ":")).encode()
    data = memoryview(_LENGTHS.pack(len(text), len(payload)) + text + payload)
    while data:
        data = data[os.write(descriptor, data) :]


class RecordReader:
    """Reads records from a pipe; does not own it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = bytearray()

    def read(self, seconds: float) -> tuple[dict[str, Any], bytes] | None:
        """Return the next record, None at the end; raise ``SilentError`` after ``seconds``.

        Raises ``DamagedFileError`` for bytes that are no record.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = self._record()
            if found is not None:
                return found
            left = max(deadline - time.monotonic(), 0.0)
            if not select.select([self._descriptor], [], [], left)[0]:
                raise SilentError
            data = os.read(self._descriptor, _READ_BYTES)
            if not data:
                return None
            self._held += data

    def _record(self) -> tuple[dict[str, Any], bytes] | None:
        if len(self._held) < _LENGTHS.size:
            return None
        head_bytes, payload_bytes = _LENGTHS.unpack_from(self._held)
        if head_bytes + payload_bytes > _LARGEST:
            raise _damaged()
        begin = _LENGTHS.size + head_bytes
        end = begin + payload_bytes
        if len(self._held) < end:
            return None
        try:
            head = json.loads(bytes(self._held[_LENGTHS.size : begin]))
        except ValueError:
            raise _damaged() from None
        if not isinstance(head, dict):
            raise _damaged()
        payload = bytes(self._held[begin:end])
        del self._held[:end]
        return head, payload


def _damaged() -> DamagedFileError:
    msg = "The process that plays the episode said something that is no record of it."
    return DamagedFileError(msg)
