"""What identifies people or opens doors is replaced before a text leaves this server.

Every value becomes a placeholder such as ``[PERSON_1]``, the same one wherever the value stands;
the map back stays here. Names are matched whole and with their case. A word that also means
something in the field or in code ("Adam", "Max", "Lambda") is hidden only inside a whole name or
where somebody introduces themselves, and a name that is an identifier (``optim.Grace``,
``Grace(...)``, ``grace_period``) stays: an answer that makes no sense helps nobody.
"""

# ruff: noqa: E501, RUF001 - patterns read better whole; apostrophes and hyphens as people write them

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import ip_address

from jupyter_ppo.tutor.redaction_words import ATTRIBUTES, INTRODUCTIONS, ORDINARY


class Kind(StrEnum):
    """What a placeholder stands for."""

    SECRET = "SECRET"  # noqa: S105 - the word in a placeholder
    EMAIL = "EMAIL"
    PATH = "PATH"
    STUDENT_ID = "STUDENT_ID"
    IP = "IP"
    PHONE = "PHONE"
    PERSON = "PERSON"


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without what was found; ``placeholders`` maps each one to what stood there."""

    text: str
    placeholders: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """A part of a text, as positions of its characters, and what it is."""

    kind: Kind
    start: int
    end: int


#: A number or code behind words that say that it is a student's; group 1 is hidden.
STUDENT_ID = re.compile(
    r"(?i:\b(?:student|stud|matriculation|matr|matrikel|enrol?lment|uni|campus)[ .-]{0,2}"
    r"(?:id|no|nr|number|nummer)\b|\b(?:matrikelnummer|uin|matricule|legajo)\b"
    r"|num[ée]ro d['’]étudiant|学号|학번|学籍番号|номер студента)"
    r"\.?(?:\s{0,2}(?:is|ist|est|:|=|#|：)){0,2}\s{0,2}([A-Za-z]{0,3}-?\d[\d-]{3,14}\d)"
)
_PEM = re.compile(
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[A-Za-z0-9+/=\s:,-]{0,10000}?"
    r"-----END [A-Z ]{0,40}PRIVATE KEY-----"
)
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-[A-Za-z0-9_-]{16,200}|gh[pousr]_[A-Za-z0-9]{20,255}"
    r"|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{20,64}|(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,200}|hf_[A-Za-z0-9]{20,100}|AIza[A-Za-z0-9_-]{35}"
    r"|eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,1000})"
)
_BEARER = re.compile(r"(?i:\bBearer|\bBasic)[ \t]{1,4}([A-Za-z0-9+/_.~-]{16,2000}={0,2})")
_USER_INFO = re.compile(
    r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\s/@:\"'<>]{1,200}:[^\s/@\"'<>]{1,200})@"
)
_NAMED = (
    r"(?i:pass(?:word|wd|phrase)|\bpwd|passwort|contraseña|пароль|密码)[\"']?\s{0,3}[:=：]\s{0,3}"
)
_PASSWORD = re.compile(rf"{_NAMED}(?:[\"']([^\"'\n]{{4,200}})[\"']|([^\s\"'(),;\[\]]{{6,200}}))")
_ASSIGNED = re.compile(
    r"(?i:api[_-]?key|(?<![a-z])key|secret|token|credential)[A-Za-z0-9_]{0,20}"
    r"[\"']?\s{0,3}[:=]\s{0,3}[\"']?([A-Za-z0-9+/_-]{16,2000}={0,2})(?![A-Za-z0-9+/_.(\[-])"
)
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w(])")
_PATH = re.compile(
    r"(?i:[A-Z]:(?:\\{1,2}|/)Users(?:\\{1,2}|/))(?:[^\\/:*?\"<>|\s]{1,64}(?: [^\\/:*?\"<>|\s]{1,64}){0,3}"
    r"(?=[\\/])|[^\\/:*?\"<>|\s,;)]{1,64})|(?<![\w.])/(?:home|Users|export/home)/[^\s/:\"'`,;)\]]{1,64}"
)
_IP4 = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_IP6 = re.compile(r"(?<![\w:])[0-9A-Fa-f]{4}:[0-9A-Fa-f:]{3,35}(?![\w:])")
_PHONE = re.compile(
    r"(?<![\w+*/=.)\]-])(?:\+|00)[1-9]\d{0,2}(?:[ -]?\(?\d{2,5}\)?){2,5}(?![\w.])"
    r"|(?<![\w.-])(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w.-])"
)
_PHONE_DIGITS = (9, 15)
#: Not more than this many characters of a name are looked for.
_MOST_NAME = 200
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def redact(
    text: str, people: Sequence[str] = (), *, student_id: re.Pattern[str] = STUDENT_ID
) -> Redacted:
    """Return ``text`` with a placeholder for everything that ``find`` finds in it.

    No placeholder is used that stands in the text already: ``restore`` gives back exactly it.
    """
    names: dict[tuple[Kind, str], str] = {}
    counts = dict.fromkeys(Kind, 0)
    parts: list[str] = []
    at = 0
    for found in find(text, people, student_id=student_id):
        key = (found.kind, text[found.start : found.end])
        if key not in names:
            while True:
                counts[found.kind] += 1
                name = f"[{found.kind}_{counts[found.kind]}]"
                if name not in text:
                    break
            names[key] = name
        parts += [text[at : found.start], names[key]]
        at = found.end
    parts.append(text[at:])
    return Redacted("".join(parts), {name: value for (_, value), name in names.items()})


def restore(text: str, placeholders: Mapping[str, str]) -> str:
    """Put back what the placeholders in ``text`` stand for."""
    if not placeholders:
        return text
    any_of = re.compile("|".join(re.escape(each) for each in placeholders))
    return any_of.sub(lambda match: placeholders[match[0]], text)


def find(
    text: str, people: Sequence[str] = (), *, student_id: re.Pattern[str] = STUDENT_ID
) -> list[Found]:
    """Return what identifies somebody or opens a door, in the order of the text, no two of them
    overlapping: a secret before an address, both before a name.
    """
    taken = bytearray(len(text))
    kept: list[Found] = []
    for found in _all(text, people, student_id):
        if found.start < found.end and not any(taken[found.start : found.end]):
            taken[found.start : found.end] = b"\1" * (found.end - found.start)
            kept.append(found)
    return sorted(kept, key=lambda each: each.start)


def _all(text: str, people: Sequence[str], student_id: re.Pattern[str]) -> Iterator[Found]:
    for pattern in (_PEM, _TOKEN, _BEARER, _USER_INFO, _PASSWORD):
        yield from _matches(Kind.SECRET, pattern, text)
    for found in _matches(Kind.SECRET, _ASSIGNED, text):
        value = text[found.start : found.end]
        if any(each.isdigit() for each in value) and any(each.isalpha() for each in value):
            yield found
    for found in _matches(Kind.EMAIL, _EMAIL, text):
        if text[found.start : found.end].rpartition(".")[2] not in ATTRIBUTES:
            yield found
    yield from _matches(Kind.PATH, _PATH, text)
    yield from _matches(Kind.STUDENT_ID, student_id, text)
    for pattern in (_IP4, _IP6):
        for found in _matches(Kind.IP, pattern, text):
            if _is_address(text[found.start : found.end]):
                yield found
    for found in _matches(Kind.PHONE, _PHONE, text):
        digits = sum(each.isdigit() for each in text[found.start : found.end])
        if _PHONE_DIGITS[0] <= digits <= _PHONE_DIGITS[1]:
            yield found
    for pattern in _name_patterns(frozenset(people), text):
        yield from _matches(Kind.PERSON, pattern, text)


def _matches(kind: Kind, pattern: re.Pattern[str], text: str) -> Iterator[Found]:
    """Yield what a pattern finds: its first group that is there, or all of it."""
    for match in pattern.finditer(text):
        group = next((i for i in range(1, pattern.groups + 1) if match[i] is not None), 0)
        yield Found(kind, match.start(group), match.end(group))


def _is_address(text: str) -> bool:
    """Whether it is the address of a machine: not this one's own, not a slice of an array."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified:
        return False
    is_slice = (
        address.version == 6 and text.isascii() and text.count(":") == 2 and text[:4].isdigit()
    )
    return not is_slice


@dataclass(frozen=True, slots=True)
class _Name:
    """A name to look for; where none of ``needles`` stands in a text, its pattern finds nothing."""

    name: str
    needles: tuple[str, ...]


def _name_patterns(people: frozenset[str], text: str) -> list[re.Pattern[str]]:
    """Return the patterns for the names that may stand in ``text``: whole ones first, then their
    parts, then ordinary words.

    A course has thousands of names and a text a few: a pattern of all takes half a second.
    """
    whole, parts, ordinary = (_there(names, text) for names in _sorted_names(people))
    found = [_any_of(names) for names in (whole, parts) if names]
    if ordinary:
        alternatives = "|".join(_spelt(each) for each in _longest_first(ordinary))
        found.append(
            re.compile(rf"(?i:(?:{INTRODUCTIONS})\s{{0,3}}:?\s{{1,3}}|@)({alternatives})(?!\w)")
        )
    return found


def _there(names: Sequence[_Name], text: str) -> set[str]:
    return {each.name for each in names if any(needle in text for needle in each.needles)}


@lru_cache(maxsize=8)
def _sorted_names(people: frozenset[str]) -> tuple[tuple[_Name, ...], ...]:
    """Return whole names, their parts that are no whole ones, and ordinary words that are names."""
    whole: set[str] = set()
    parts: set[str] = set()
    ordinary: set[str] = set()
    for each in people:
        name = unicodedata.normalize("NFC", " ".join(each.split()))[:_MOST_NAME]
        words = name.split(" ")
        if len(words) > 1:
            whole |= {name, name.upper()}
            parts |= {word for word in words if _is_part(word)}
            ordinary |= {word for word in words if _is_ordinary(word)}
        elif _is_ordinary(name):
            ordinary.add(name)
        elif _is_telling(name):
            whole.add(name)
    return tuple(
        tuple(_Name(name, _needles(name)) for name in sorted(names))
        for names in (whole, parts - whole, ordinary)
    )


def _needles(name: str) -> tuple[str, ...]:
    """Return what must stand in a text for ``_spelt(name)`` to match: of each form, what is exact."""
    forms = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    return tuple(sorted({max(_LOOSE.split(form), key=len) for form in forms}))


def _any_of(names: set[str]) -> re.Pattern[str]:
    return re.compile("|".join(_bounded(each) for each in _longest_first(names)))


def _longest_first(names: set[str]) -> list[str]:
    return sorted(names, key=lambda each: (-len(each), each))


def _bounded(name: str) -> str:
    # Scripts that put no blanks between words have no boundaries to look for.
    return _spelt(name) if _CJK.search(name) else rf"(?<![\w.])(?:{_spelt(name)})(?![\w(]|\.\w)"


def _spelt(name: str) -> str:
    """Return a pattern for a name in both normal forms, with any apostrophe, hyphen and blanks."""
    forms = {unicodedata.normalize(form, name) for form in ("NFC", "NFD")}
    return "|".join(sorted(_loosely(form) for form in forms))


#: Where a name may be spelt in more than one way; see ``_loosely``.
_LOOSE = re.compile(r"['’ -]")


def _loosely(name: str) -> str:
    loose = {"'": "['’ʼ`]", "’": "['’ʼ`]", "-": "[-‐‑]", " ": r"\s{1,3}"}
    return "".join(loose.get(each, re.escape(each)) for each in name)


def _is_ordinary(word: str) -> bool:
    return word.casefold() in ORDINARY


def _is_part(word: str) -> bool:
    """Whether a part of a whole name is looked for by itself: not "van", "de" or "J."."""
    letters = sum(each.isalpha() for each in word)
    if _is_ordinary(word) or word == word.lower() != word.upper():
        return False
    return letters >= (2 if _CJK.search(word) else 3)


def _is_telling(name: str) -> bool:
    """Whether a single word says who somebody is; "7" or "x" does not."""
    if name.isdigit():
        return len(name) >= 4
    return len(name) >= (2 if _CJK.search(name) else 3)
