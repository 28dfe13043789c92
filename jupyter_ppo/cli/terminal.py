"""Text from strangers on a terminal: shown, never obeyed."""

from __future__ import annotations

import re
from typing import Final

#: Controls (C0 but newline and tab, DEL, C1: titles, colours, cursor, answers typed for you), marks
#: that turn the direction of text, line and paragraph separators, and lone surrogates.
_OBEYED: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    r"""Return ``text`` with what a terminal would obey written as an escape, such as ``\x1b``."""
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text.replace("\r\n", "\n"))
