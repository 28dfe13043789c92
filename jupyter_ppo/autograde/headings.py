"""Where a section begins in a text written in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_HASHES = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(={2,}|-{2,})[ \t]*$")
_TAG = re.compile(r" {0,3}<h([1-6])[ \t>]", re.IGNORECASE)
# What begins another kind of block: a line of dashes below that is a rule and underlines nothing.
_NO_PARAGRAPH = re.compile(r" {4}|\t| {0,3}(?:[>|<]|[-*+]\s|\d{1,9}[.)]\s)")


def last_section(text: str) -> str | None:
    """Return ``text`` from its last heading of the highest rank on, or None if there is no heading.

    With a title of rank 2, an older title of rank 2 above it and a smaller one below, that is from
    the second title: what stands under a smaller heading belongs to the one before it. A heading
    is as in CommonMark 0.31.2, sections 4.2 and 4.3, or an HTML tag at the beginning of a line;
    what stands in a fenced block of code is none.
    """
    found = list(_headings(text.split("\n")))
    if not found:
        return None
    highest = min(rank for _, rank in found)
    start = max(line for line, rank in found if rank == highest)
    return "\n".join(text.split("\n")[start:])


def _headings(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the line and the rank, from 1, of each heading."""
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not mark[2].strip():
                fence = ""
        elif mark and not (mark[1][0] == "`" and "`" in mark[2]):
            fence = mark[1]
        elif hashes := _HASHES.match(line):
            yield number, len(hashes[1])
        elif tag := _TAG.match(line):
            yield number, int(tag[1])
        elif (underline := _UNDERLINE.match(line)) and number:
            above = lines[number - 1]
            others = (_NO_PARAGRAPH, _HASHES, _UNDERLINE)
            if above.strip() and not any(other.match(above) for other in others):
                yield number - 1, 1 if underline[1][0] == "=" else 2
