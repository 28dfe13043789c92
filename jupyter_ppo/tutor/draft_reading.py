"""What a model drafted, read strictly: levels by name, quotes that occur, and never a point.

Everything that breaks a rule is a sentence for the repair turn. Keys that nobody asked for, such
as points and scores, are not looked at.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jupyter_ppo.domain.entries import Criterion, Level
from jupyter_ppo.domain.tutoring import Flag
from jupyter_ppo.tutor.plain_words import plain_words

#: Characters of a quote and of a reason.
LEAST_EVIDENCE, MOST_EVIDENCE = 1, 400
MOST_REASON = 800
#: Not more than this is read, and not more than so many places where an object may begin.
_MOST_TEXT = 200_000
_MOST_STARTS = 50
#: So many words of a note in a row are the note.
_NOTE_WORDS = 6


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What was drafted for one criterion. ``span`` is where the evidence stands in the answer, as
    positions of its characters; None when there is none.
    """

    criterion: str
    level: str
    points: float
    reason: str
    evidence: str
    span: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class DraftReading:
    """What could be used of an answer, what was wrong, and why a person should look."""

    results: tuple[ReadResult, ...]
    problems: tuple[str, ...]
    flags: tuple[Flag, ...]

    @property
    def is_usable(self) -> bool:
        """Whether every criterion has a result and no rule was broken."""
        return not self.problems


def read_draft(
    text: str,
    rubric: Sequence[Criterion],
    answer: str,
    canary: str,
    *,
    restore: Callable[[str], str] = str,
) -> DraftReading:
    """Return the reading of what a model wrote about ``answer``.

    ``restore`` puts back what was hidden in quotes and reasons; ``answer`` is the student's own.
    """
    problems: list[str] = []
    flags: list[Flag] = []
    if canary and canary.casefold() in text.casefold():
        flags.append(Flag.CANARY)
        problems.append("The answer repeats the secret mark. Leave it out.")
    try:
        items = _items(text)
    except _UnreadableError as error:
        return DraftReading((), (*problems, str(error)), tuple(flags))
    known = {_name(each.name): each for each in rubric}
    read: dict[str, ReadResult] = {}
    seen: set[str] = set()
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            problems.append(f"results: number {number} is not an object.")
            continue
        given = item.get("criterion")
        criterion = known.get(_name(given)) if isinstance(given, str) else None
        if criterion is None:
            names = ", ".join(json.dumps(each.name) for each in rubric)
            problems.append(f"results: number {number} has an unknown criterion. Use {names}.")
        elif criterion.name in seen:
            problems.append(f"{criterion.name}: is there twice. Give it once.")
            read.pop(criterion.name, None)
        else:
            seen.add(criterion.name)
            result = _read_one(criterion, item, answer, restore, problems, flags)
            if result is not None:
                read[criterion.name] = result
    problems += [f"{each.name}: is missing." for each in rubric if each.name not in seen]
    results = tuple(read[each.name] for each in rubric if each.name in read)
    return DraftReading(results, tuple(problems), tuple(dict.fromkeys(flags)))


def evidence_span(evidence: str, answer: str) -> tuple[int, int] | None:
    """Return where a quote stands in the answer, whatever its blanks and composed characters."""
    wanted, _ = _folded(evidence)
    wanted = wanted.strip(" ")
    if not wanted:
        return None
    folded, places = _folded(answer)
    at = folded.find(wanted)
    if at < 0:
        return None
    return places[at][0], places[at + len(wanted) - 1][1]


def _read_one(
    criterion: Criterion,
    item: Mapping[str, Any],
    answer: str,
    restore: Callable[[str], str],
    problems: list[str],
    flags: list[Flag],
) -> ReadResult | None:
    before = len(problems)
    name = criterion.name
    level = _level(criterion, item.get("level"))
    if level is None:
        names = ", ".join(json.dumps(each.name) for each in criterion.levels)
        problems.append(f"{name}: level is not one of its levels. Use {names}.")
    reason, evidence = item.get("reason"), item.get("evidence")
    if not isinstance(reason, str) or not plain_words(reason).strip():
        problems.append(f"{name}: reason is missing. Write one to three sentences.")
    elif len(reason) > MOST_REASON:
        problems.append(f"{name}: reason is longer than {MOST_REASON} characters.")
    elif _tells_note(reason, criterion.note):
        problems.append(f"{name}: reason repeats the note for the staff. Say it in other words.")
    span = None
    if not isinstance(evidence, str):
        problems.append(f'{name}: evidence is missing. Copy it from the answer, or use "".')
    elif not evidence.strip():
        if level is not None and level.points > min(each.points for each in criterion.levels):
            problems.append(f"{name}: evidence is empty. Only the least level needs none.")
    elif len(evidence) > MOST_EVIDENCE:
        problems.append(f"{name}: evidence is longer than {MOST_EVIDENCE} characters.")
    else:
        span = evidence_span(restore(evidence), answer)
        if span is None:
            flags.append(Flag.EVIDENCE)
            problems.append(
                f"{name}: evidence does not occur in the answer. Copy it word for word."
            )
    if len(problems) > before or level is None:
        return None
    quote = "" if span is None else answer[span[0] : span[1]]
    words = plain_words(restore(str(reason))).strip()
    return ReadResult(name, level.name, level.points, words, quote, span)


def _level(criterion: Criterion, given: object) -> Level | None:
    if not isinstance(given, str):
        return None
    exact = [each for each in criterion.levels if each.name == given]
    same = exact or [each for each in criterion.levels if _name(each.name) == _name(given)]
    return same[0] if len(same) == 1 else None


def _name(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip().casefold()


def _tells_note(reason: str, note: str) -> bool:
    """Whether words of the note stand in the reason in a row: all of them, or many."""
    words, noted = (re.findall(r"\w+", each.casefold()) for each in (reason, note))
    size = min(_NOTE_WORDS, len(noted))
    if size < 3:  # one or two words are no secret, and may well be the field's
        return False
    said = {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}
    return any(tuple(noted[i : i + size]) in said for i in range(len(noted) - size + 1))


def _folded(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text composed (NFC) and with single blanks, and where each character was."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    while at < len(text):
        end = at + 1
        if text[at].isspace():
            while end < len(text) and text[end].isspace():
                end += 1
            piece = " "
        else:
            # NFC joins a character with the combining ones that follow it, and parts of Hangul.
            while end < len(text) and _joins(text[end]):
                end += 1
            piece = unicodedata.normalize("NFC", text[at:end])
        parts.append(piece)
        places += [(at, end)] * len(piece)
        at = end
    return "".join(parts), places


def _joins(each: str) -> bool:
    return each > "\u02ff" and (
        unicodedata.combining(each) != 0
        or unicodedata.category(each) in {"Mn", "Mc"}
        or "\u1160" <= each <= "\u11ff"
    )


class _UnreadableError(Exception):
    """There is no such object; the words say why."""


def _items(text: str) -> list[Any]:
    if len(text) > _MOST_TEXT:
        msg = "The answer is too long. Write one JSON object and nothing else."
        raise _UnreadableError(msg)
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant, strict=False)
    why = "The answer holds no JSON object. Write one JSON object and nothing else."
    at = -1
    for _ in range(_MOST_STARTS):
        at = text.find("{", at + 1)
        if at < 0:
            break
        try:
            value, end = decoder.raw_decode(text, at)
        except _UnreadableError as error:
            why = str(error)
            continue
        except (ValueError, RecursionError):
            why = "The JSON is broken or was cut off. Write it once more, whole."
            continue
        if isinstance(value, dict) and isinstance(value.get("results"), list):
            items: list[Any] = value["results"]
            return items
        why = 'The JSON object has no list "results".'
        at = end - 1
    raise _UnreadableError(why)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        msg = "The JSON has the same key twice in one object. Use each key once."
        raise _UnreadableError(msg)
    return found


def _no_constant(name: str) -> Any:
    msg = f"The JSON holds {name}, which is no JSON. Use texts only."
    raise _UnreadableError(msg)
