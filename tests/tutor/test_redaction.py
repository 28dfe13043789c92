"""Redaction: a corpus with expected spans, and that nothing is lost on the way back."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.tutor import redaction
from jupyter_ppo.tutor.redaction import Kind, find, redact, restore

_CORPUS = json.loads((Path(__file__).parent / "redaction_corpus.json").read_text("utf-8"))
_PEOPLE = tuple(_CORPUS["people"])
_MARK = re.compile(r"⟦(\w+)\|(.*?)⟧", re.DOTALL)


def _expected(marked: str) -> tuple[str, set[tuple[str, int, int]]]:
    text, spans, at = "", set(), 0
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        spans.add((match[1], len(text), len(text) + len(match[2])))
        text += match[2]
        at = match.end()
    return text + marked[at:], spans


def _found(text: str) -> set[tuple[str, int, int]]:
    return {(each.kind.value, each.start, each.end) for each in find(text, _PEOPLE)}


def test_the_corpus_is_large_and_has_every_kind() -> None:
    texts = _CORPUS["texts"]
    assert len(texts) >= 60
    assert {kind for each in texts for kind, *_ in _expected(each)[1]} == {*map(str, Kind)}


@pytest.mark.parametrize("marked", _CORPUS["texts"])
def test_exactly_what_identifies_somebody_is_found(marked: str) -> None:
    text, spans = _expected(marked)
    assert _found(text) == spans


@pytest.mark.parametrize("kind", list(Kind))
def test_precision_and_recall_of_each_kind_are_full_on_the_corpus(kind: Kind) -> None:
    pairs = [_expected(each) for each in _CORPUS["texts"]]
    wanted = {(i, *s) for i, (_, spans) in enumerate(pairs) for s in spans if s[0] == kind}
    found = {(i, *s) for i, (text, _) in enumerate(pairs) for s in _found(text) if s[0] == kind}
    both = len(wanted & found)
    assert wanted
    assert (both / len(found), both / len(wanted)) == (1.0, 1.0)


def test_the_same_value_has_the_same_placeholder() -> None:
    done = redact("alopez, then a@b.example, then alopez", _PEOPLE)
    assert done.text == "[PERSON_1], then [EMAIL_1], then [PERSON_1]"
    assert done.placeholders == {"[PERSON_1]": "alopez", "[EMAIL_1]": "a@b.example"}


def test_a_placeholder_that_stands_in_the_text_is_not_used() -> None:
    text = "[PERSON_1] is alopez"
    done = redact(text, _PEOPLE)
    assert done.text == "[PERSON_1] is [PERSON_2]"
    assert restore(done.text, done.placeholders) == text


def test_the_pattern_of_student_ids_can_be_chosen() -> None:
    done = redact("I am s123456.", student_id=re.compile(r"\bs\d{6}\b"))
    assert done.text == "I am [STUDENT_ID_1]."


_PIECES = st.sampled_from(
    [_expected(each)[0] for each in _CORPUS["texts"]] + ["[PERSON_1]", "[", "]", "[EMAIL_", "\n"]
)


@given(st.lists(st.one_of(st.text(max_size=20), _PIECES), max_size=6).map("".join))
def test_restoring_gives_back_the_text(text: str) -> None:
    done = redact(text, _PEOPLE)
    assert restore(done.text, done.placeholders) == text


@given(st.lists(_PIECES, max_size=4).map("\n".join))
def test_nothing_that_was_found_is_left(text: str) -> None:
    done = redact(text, _PEOPLE)
    spans = [(each.start, each.end) for each in find(text, _PEOPLE)]
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert len(set(done.placeholders.values())) == len({text[a:b] for a, b in spans})


# Accents in both normal forms, other apostrophes and hyphens, letters that change in capitals.
_SPELT = ["Jos\u00e9 N\u00fa\u00f1ez", "Jose\u0301 Nu\u0301n\u0303ez", "O'Neil", "O\u2019Neil"]
_NAMES = [*_SPELT, "Anne-Marie O\u2019Brien", "Max Power", "Adam", "\u674e \u5c0f\u9f8d", "user17"]
_NAMES += ["\u0130lker I\u015f\u0131k", "Wei\u00df Gro\u00df", "van der Berg", "J. Doe"]
_TEXTS = [*_NAMES, *(name.upper() for name in _NAMES), "Jose\u0301", "Anne\u2011Marie  O'Brien"]
_TEXTS += ["I am Adam", "@Max", "\u674e\u5c0f\u9f8d", "Berg", "the ratio", "Power(x)", "."]


@given(st.lists(st.sampled_from(_NAMES)), st.lists(st.sampled_from(_TEXTS)))
def test_names_that_cannot_stand_in_a_text_are_left_out_without_a_difference(
    people: list[str], written: list[str]
) -> None:
    text = " ".join(written)
    quick = find(text, people)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redaction, "_there", lambda names, _text: {each.name for each in names})
        assert find(text, people) == quick
