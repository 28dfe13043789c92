"""What in an answer looks as if it were written for whoever grades it. It flags, and no more.

Every pattern reads at most a fixed number of characters from where it begins, so that the time
grows with the length of the text only. Letters that look like others are folded before.
"""

# ruff: noqa: E501, RUF001 - patterns read better whole

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from jupyter_ppo.domain.tutoring import Flag
from jupyter_ppo.tutor.detector_words import INSTRUCTIONS, LOOK_ALIKES, PRESSURE, ROLES

#: So many findings of one flag are told.
MOST_FINDINGS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A flag, and where in the text, as positions of its characters."""

    flag: Flag
    start: int
    end: int


#: Marks of direction, blanks of no width, tags, fillers; not the joiners of emoji and of scripts.
_HIDDEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
    "|(?:[\u200c\u200d][\ufe00-\ufe0f]?){2,}"
    "|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
    "|(?<=[A-Za-z])[\u200c\u200d]+(?=[A-Za-z])"
)
_COMMENT = re.compile(
    r"<!--|<(?:div|span|p|font)\b[^>]{0,200}(?:display\s*:\s*none|font-size\s*:\s*0|"
    r"visibility\s*:\s*hidden|color\s*:\s*white|\bhidden\b)",
    re.IGNORECASE,
)
_ENCODED = re.compile(
    r"(?<![A-Za-z0-9+/=_-])(?=[A-Za-z+/_-]{0,40}[0-9])(?:[A-Za-z0-9+/_-]{48,}={0,2}|[0-9a-fA-F]{40,})"
    r"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{20,}={1,2}(?![A-Za-z0-9+/=])"
    r"|(?:\\x[0-9a-fA-F]{2}){8,}|(?:\\u[0-9a-fA-F]{4}){8,}|(?:&#x?[0-9a-fA-F]{1,6};){6,}"
    r"|(?:%[0-9a-fA-F]{2}){10,}|(?:\b[01]{8}\b ?){6,}"
)
_FORGED = re.compile(
    r"[\"'](?:results?|score|grade|gradebook|points|marks?|total|level|criterion|criteria|feedback|verdict|"
    r"evaluation|assessment|passed|is_correct|correct)[\"']\s{0,5}:\s{0,5}"
    r"(?:[\"'\[{]|-?\d|true\b)"
    r"|<(?:score|grade|result|marks?|points|verdict)>"
    r"|^[ \t>*#-]{0,6}(?:final |total |overall |awarded )?(?:score|grade|marks?|points|punkte|note|"
    r"puntuaci[oó]n|calificaci[oó]n|оценка|评分|得分)(?: awarded| given)?\**[ \t]{0,3}[:=：][ \t]{0,3}\**"
    r"(?:\d{1,4}(?:[.,]\d)?[ \t]{0,2}(?:/|out of|von|de|из)[ \t]{0,2}\d|100[ \t]?%|full\b|max|a\+|满分)",
    re.IGNORECASE | re.MULTILINE,
)
_WORDS = (
    (Flag.INSTRUCTIONS, INSTRUCTIONS),
    (Flag.FAKE_ROLE, ROLES),
    (Flag.PRESSURE, PRESSURE),
)


def flags_of(text: str) -> tuple[Finding, ...]:
    """Return what should be looked at by a person, in the order of the text."""
    found = [
        *_found(Flag.HIDDEN_TEXT, _HIDDEN, text),
        *_found(Flag.HIDDEN_TEXT, _COMMENT, text),
        *_found(Flag.ENCODED, _ENCODED, text),
        *_found(Flag.FORGED_RESULT, _FORGED, text),
    ]
    read, places = _read(text)
    for flag, pattern in _WORDS:
        found += [
            Finding(flag, places[each.start], places[each.end - 1] + 1)
            for each in _found(flag, pattern, read)
        ]
    return tuple(sorted(set(found), key=lambda each: (each.start, each.end, each.flag)))


def _found(flag: Flag, pattern: re.Pattern[str], text: str) -> list[Finding]:
    found: list[Finding] = []
    for match in pattern.finditer(text):
        if match.end() > match.start():
            found.append(Finding(flag, match.start(), match.end()))
        if len(found) == MOST_FINDINGS:
            break
    return found


def _read(text: str) -> tuple[str, list[int]]:
    """Return the text as an eye reads it, and the place of each of its characters.

    What is not seen is left out, wide and fancy letters are plain ones, letters of other scripts
    between Latin ones are what they look like, and tag characters are the letters they stand for.
    """
    parts: list[str] = []
    places: list[int] = []
    for at, each in enumerate(text):
        if 0xE0020 <= ord(each) <= 0xE007E:
            piece = chr(ord(each) - 0xE0000)
        elif each.isascii():
            piece = each
        elif unicodedata.category(each) == "Cf":
            continue
        else:
            piece = unicodedata.normalize("NFKC", each)
        parts.append(piece)
        places += [at] * len(piece)
    read = "".join(parts)
    return _LATIN_MIX.sub(lambda match: match[0].translate(LOOK_ALIKES), read), places


#: A word of Latin letters with some that only look like them.
_LATIN_MIX = re.compile(r"\b(?=\w{0,30}[a-zA-Z])(?=\w{0,30}[Ͱ-ӿ])\w{1,64}\b")
