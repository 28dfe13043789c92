"""Where an error of a cell is: the line that the learner wrote, found in the traceback's text."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
# A frame of a cell, as IPython and as Python name it.
_FRAME = re.compile(
    r"(?:Cell In\[\d{1,9}\], line (?P<a>\d{1,8})(?:, in (?P<f>\w{1,80}))?"
    r"|<ipython-input[^>\n]{0,80}> in (?P<g>\w{1,80})"
    r"|File [\"'<]?(?:<cell|<ipython)[^\n]{0,200}?, line (?P<b>\d{1,8})(?:, in (?P<h>\w{1,80}))?)"
)
_ARROW = re.compile(r"^-{2,}> ?(?P<number>\d{1,8}) ?(?P<line>.{0,400})$", re.MULTILINE)
_NAME = re.compile(r"[A-Za-z_]\w{0,79}")
_STRING = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*")
_WORDS = frozenset((*keyword.kwlist, "self"))
_MOST_NAMES = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a cell, from 1 (0: not known), its text, its function and the names in it."""

    line: int = 0
    text: str = ""
    function: str = ""
    names: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Where to look, in plain words."""
        if not self.line:
            return "The traceback names no line of this cell; begin with its last line."
        inside = f" of {self.function}" if self.function else ""
        told = f"Line {self.line}{inside}"
        if self.text:
            told += f", which reads: {self.text}"
        told += "."
        if self.names:
            told += f" The names in it: {', '.join(self.names)}."
        return told


def place_of(traceback: str, code: str) -> Place:
    """Return the last line of a cell that the traceback names; both are untrusted text."""
    trace = _ESCAPE.sub("", traceback)
    frames = list(_FRAME.finditer(trace))
    if not frames:
        return Place()
    last = frames[-1]
    number = int(last["a"] or last["b"] or 0)
    function = last["f"] or last["g"] or last["h"] or ""
    text = ""
    for arrow in _ARROW.finditer(trace, last.end()):
        if not number or int(arrow["number"]) == number:
            number, text = int(arrow["number"]), arrow["line"]
            break
    lines = code.split("\n")
    if not text and 0 < number <= len(lines):
        text = lines[number - 1]
    text = short(text.strip(), 200)
    found = (name for name in _NAME.findall(_STRING.sub(" ", text)) if name not in _WORDS)
    return Place(number, text, short(function), tuple(dict.fromkeys(found))[:_MOST_NAMES])


def names_in(code: str) -> set[str]:
    """Return the names in a text of code; strings and comments do not count."""
    return set(_NAME.findall(_STRING.sub(" ", code))) - _WORDS


def short(text: str, most: int = 160) -> str:
    """Return a text as one plain line of at most ``most`` characters, without a full stop."""
    line = " ".join(_CONTROL.sub(" ", _ESCAPE.sub("", text)).split()).rstrip(".")
    return line if len(line) <= most else f"{line[: most - 3]}..."
