"""Plain values as a JSON tree and a blob of raw bytes, and back. Never pickle.

Both sides of the border use this file; the decoder is what protects the examiner. It builds only
the exact types listed here, believes no size before it has been checked, and answers anything else
with ``WireError``. What is not a plain value is left to ``foreign``, which gives the tree of an
object (``Encoder``) or builds what an unknown tag stands for (``Decoder``). A subclass is never a
plain value: its methods are somebody else's code.

A tree is what JSON has: None, bool, int, float, str and lists stand for themselves, everything else
is ``{"t": tag, ...}``; ``"b": [offset, length]`` says where in the blob its bytes are. Only the
standard library is imported; numpy and PyTorch are looked up when a value needs them.
"""

from __future__ import annotations

import json
from typing import Final

from jupyter_ppo.sandbox.border.wire_decoder import Decoder
from jupyter_ppo.sandbox.border.wire_encoder import Encoder
from jupyter_ppo.sandbox.border.wire_types import (
    MAX_BLOB,
    MAX_DEPTH,
    MAX_HEADER,
    MAX_NODES,
    Tree,
    WireError,
)

__all__ = [
    "MAX_BLOB",
    "MAX_DEPTH",
    "MAX_HEADER",
    "MAX_NODES",
    "Decoder",
    "Encoder",
    "Tree",
    "WireError",
    "dumps",
    "loads",
]

# The C parts of ``json``, bound now: nothing that is replaced later reaches them.
_encode_json: Final = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
    None, None, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True
)
_scan_json: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def dumps(tree: Tree) -> bytes:
    """Return a message's JSON text; raise ``WireError`` when it is too long."""
    text = "".join(_encode_json(tree, 0)).encode("ascii")
    if len(text) > MAX_HEADER:
        msg = f"A message of {len(text)} bytes of JSON; at most {MAX_HEADER} may cross the border."
        raise WireError(msg)
    return text


def loads(header: bytes) -> dict[str, Tree]:
    """Read a message's JSON text, an object; raise ``WireError`` when it is anything else."""
    if len(header) > MAX_HEADER:
        msg = f"A message of {len(header)} bytes of JSON; at most {MAX_HEADER} may cross."
        raise WireError(msg)
    try:
        text = header.decode("ascii")
        tree, end = _scan_json(text, 0)
    except (ValueError, RecursionError, StopIteration, MemoryError) as error:
        msg = f"A message is not JSON: {type(error).__name__}."
        raise WireError(msg) from None
    if type(tree) is not dict or end != len(text):
        msg = "A message is not one JSON object."
        raise WireError(msg)
    return tree
