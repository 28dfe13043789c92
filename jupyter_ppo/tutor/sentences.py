"""A text that comes in pieces, held back until a sentence is whole."""

from __future__ import annotations

import re

# The end of a sentence: a full stop, question or exclamation mark, perhaps with a quotation mark or
# bracket after it, before a blank; or the end of a line.
_END = re.compile(r"[.!?][\"')\]]{0,2}(?=\s)|\n")
#: A sentence that does not end is let go after so many characters, at a blank.
_LONGEST = 600


class Sentences:
    """Collects pieces; gives whole sentences back, with the blanks after them.

    All sentences one after the other are the text of all pieces, character for character.
    """

    def __init__(self) -> None:
        self._held = ""
        self._given: list[str] = []

    @property
    def so_far(self) -> str:
        """All sentences that were given back."""
        return "".join(self._given)

    def add(self, piece: str) -> list[str]:
        """Take a piece; return the sentences that it ended, if any."""
        self._held += piece
        found: list[str] = []
        while (end := self._end()) is not None:
            found.append(self._held[:end])
            self._held = self._held[end:]
        return self._give(found)

    def end(self) -> list[str]:
        """Return what is left, as the last sentence."""
        rest, self._held = self._held, ""
        return self._give([rest] if rest else [])

    def _give(self, found: list[str]) -> list[str]:
        self._given += found
        return found

    def _end(self) -> int | None:
        """Return where the first sentence that is held ends, blanks after it included."""
        mark = _END.search(self._held)
        if mark is None:
            if len(self._held) <= _LONGEST:
                return None
            blank = self._held.rfind(" ", 0, _LONGEST)
            return blank + 1 if blank > 0 else _LONGEST
        end = mark.end()
        while end < len(self._held) and self._held[end].isspace():
            end += 1
        # More blanks may come; a sentence is given back once the next one has begun.
        return end if end < len(self._held) else None
