"""Text from a student's kernel, made fit to be shown: no escapes, nothing invisible, bounded."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Control characters but tab and newline, bidirectional controls, zero-width characters but the
# joiners that scripts and emoji need, tag characters, and halves of characters. Spelled by number
# because they would be invisible here too.
_INVISIBLE_RANGES = (
    (0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x61C, 0x61C), (0x200B, 0x200B),
    (0x200E, 0x200F), (0x2028, 0x202E), (0x2060, 0x2069), (0xD800, 0xDFFF), (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB), (0xE0000, 0xE007F),
)  # fmt: skip
_INVISIBLE = re.compile(
    "[" + "".join(rf"\U{low:08x}-\U{high:08x}" for low, high in _INVISIBLE_RANGES) + "]"
)
#: A hidden line shorter than this is too common to be looked for in outputs.
_SECRET_MIN = 8
HIDDEN = "[hidden test]"


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, ... for a number from 1."""
    teen = number % 100 in {11, 12, 13}
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def visible(text: str) -> str:
    """Return ``text`` without ANSI escapes, with invisible and bidirectional characters named."""
    plain = _ANSI.sub("", text).replace("\r\n", "\n")
    return _INVISIBLE.sub(lambda match: f"[U+{ord(match[0]):04X}]", plain)


def shortened(text: str, limit: int) -> str:
    """Return at most about ``limit`` characters: the beginning and the end, and what was cut."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    return f"{text[: limit - tail]}\n[... the middle is left out ...]\n{text[-tail:]}"


def presentable(text: str, limit: int, hidden: Iterable[str] = ()) -> str:
    """Return ``text`` visible, without ``hidden`` lines, and at most about ``limit`` long.

    A very long text is cut roughly first, so that the work is bounded too; that cut lies where the
    fine one leaves out, so it cannot leave half of a hidden line.
    """
    return shortened(without_hidden(visible(shortened(text, 8 * limit)), hidden), limit)


def without_hidden(text: str, hidden: Iterable[str]) -> str:
    """Return ``text`` with every line of a hidden test in it replaced.

    This stops accidents and the plain trick of printing the tests; it cannot stop a kernel that
    encodes them first. Only running tests elsewhere can.
    """
    for line in hidden:
        secret = line.strip()
        if len(secret) < _SECRET_MIN:
            continue
        text = text.replace(secret, HIDDEN)
        text = text.replace(repr(secret)[1:-1], HIDDEN)
    return text
