"""A model's text as plain text: no markup, no link, no picture, no hidden character.

What is shown is escaped by whoever shows it; this takes away what would look like more than words.
"""

from __future__ import annotations

import re
import unicodedata

_PICTURE = re.compile(r"!\[([^\]\n]{0,200})\]\([^)\n]{0,2000}\)?")
_LINK = re.compile(r"\[([^\]\n]{0,200})\]\([^)\n]{0,2000}\)?")
_REFERENCE = re.compile(r"^\s*\[[^\]\n]{1,200}\]:\s*\S+.*$", re.MULTILINE)
_ADDRESS = re.compile(
    r"(?:\b(?:https?|ftp|file|data|javascript|mailto)\s*:|\bwww\.)[^\s<>\"')]*", re.IGNORECASE
)
_TAG = re.compile(r"<!--.*?(?:-->|$)|</?[A-Za-z][^<>\n]{0,500}>", re.DOTALL)
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE)
_QUOTE = re.compile(r"^[ \t]{0,3}>[ \t]?", re.MULTILINE)
_STRONG = re.compile(r"(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1", re.DOTALL)
_LINES = re.compile(r"\n{3,}")
_KEPT = frozenset("\n\t")


def plain_words(text: str) -> str:
    """Return ``text`` without markup; its words stay, a link's address does not."""
    kept = "".join(each for each in text if _is_shown(each))
    kept = unicodedata.normalize("NFC", kept)
    before = None
    while kept != before:  # what is taken away may join what stood around it
        before = kept
        kept = _TAG.sub("", kept)
        kept = _PICTURE.sub(r"\1", kept)
        kept = _LINK.sub(r"\1", kept)
        kept = _REFERENCE.sub("", kept)
        kept = _ADDRESS.sub("(address left out)", kept)
    kept = _FENCE.sub("", kept)
    kept = _HEADING.sub("", kept)
    kept = _QUOTE.sub("", kept)
    kept = _STRONG.sub(r"\2", kept)
    return _LINES.sub("\n\n", kept).strip("\n")


def _is_shown(each: str) -> bool:
    """Whether a character is one that people see: no control, no mark of direction, no tag."""
    if each in _KEPT:
        return True
    return unicodedata.category(each) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
