"""Which cell a kernel ran last, and a message of ours that appears in that cell's output.

The kernel belongs to its user, so what it says of the cell may be anything; only a few short texts
of it are kept. Source: "Messaging in Jupyter", the wire protocol, ``execute_input`` and ``stream``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from jupyter_client.session import Session

_DELIMITER: Final = b"<IDS|MSG>"
#: The longest header that is looked at, in bytes; real ones have about 250.
_HEADER_BYTES: Final = 4096
#: What is kept of the request that a cell came with, and the longest such text in characters.
_KEPT: Final = ("msg_id", "session", "username", "msg_type", "version")
_TEXT: Final = 256


class RunningCell:
    """The cell that a kernel said last that it runs; at first there is none."""

    def __init__(self) -> None:
        self._request: dict[str, str] = {}

    def note(self, parts: Sequence[bytes]) -> None:
        """Look at a message of the iopub channel. What is no Jupyter message changes nothing."""
        if len(parts) < 5 or parts[1] != _DELIMITER:  # topic, delimiter, signature, header, parent
            return
        header, parent = parts[3], parts[4]
        if b'"execute_input"' not in header:  # so that the others cost nothing
            return
        if _texts(header).get("msg_type") == "execute_input" and (request := _texts(parent)):
            self._request = request

    def message(self, text: str, key: bytes) -> list[bytes] | None:
        """Return the message that writes ``text`` under that cell as an error, signed with ``key``.

        None when no cell has run.
        """
        if "msg_id" not in self._request:
            return None
        session = Session(key=key)
        content = {"name": "stderr", "text": text}
        made = session.msg("stream", content, parent=self._request)
        return list(session.serialize(made, ident=b"stream.stderr"))


def _texts(header: bytes) -> dict[str, str]:
    """Return the texts of a header that are kept; none if it cannot be read."""
    if len(header) > _HEADER_BYTES:
        return {}
    try:
        read = json.loads(header)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(read, dict):
        return {}
    kept = {name: read.get(name) for name in _KEPT}
    return {
        name: value
        for name, value in kept.items()
        # Nothing printable fails to be written as UTF-8, as a lone surrogate does.
        if isinstance(value, str) and len(value) <= _TEXT and value.isprintable()
    }
