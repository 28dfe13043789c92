"""Prompts of drafts, the reading of what comes back, and what several samples agree on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.entries import Criterion, Level
from jupyter_ppo.domain.tutoring import Flag
from jupyter_ppo.tutor.consensus import agree
from jupyter_ppo.tutor.draft_prompt import compose_draft, repair_draft
from jupyter_ppo.tutor.draft_reading import DraftReading, evidence_span, read_draft
from jupyter_ppo.tutor.templates import DRAFT, REPAIR

_RUBRIC = (
    Criterion(
        "idea",
        "The idea",
        (Level("full", 3), Level("missing", 0), Level("partly", 1)),
        note="Accept any wording of a trust region here.",
    ),
    Criterion("clip", "The clip", (Level("none", 0), Level("full", 2))),
)
_ANSWER = "The ratio is  clipped,\nso the café policy\tmoves little."
_CANARY = "mark-0123456789abcdef"
#: Other words are another version: change both together.
_DIGESTS = {
    ("draft", 1): "a4123fd52ce831bb",
    ("draft-repair", 1): "ade47b49a434d75c",
}


def _item(criterion: str, level: str, evidence: str = "ratio is clipped", **more: Any) -> Any:
    return {
        "criterion": criterion,
        "level": level,
        "reason": "It says so.",
        "evidence": evidence,
    } | more


def _good(*, idea: str = "full", clip: str = "full") -> list[Any]:
    return [_item("clip", clip), _item("idea", idea)]


def _read(results: Any) -> DraftReading:
    return read_draft(json.dumps({"results": results}), _RUBRIC, _ANSWER, _CANARY)


@pytest.mark.parametrize("template", [DRAFT, REPAIR], ids=lambda each: each.id)
def test_other_words_are_another_version(template: Any) -> None:
    digest = hashlib.sha256(template.system.encode()).hexdigest()[:16]
    assert _DIGESTS[template.id, template.version] == digest


def test_the_rubric_is_in_the_system_part_only() -> None:
    prompt = compose_draft("Why?", _RUBRIC, _ANSWER, seed=1, canary=_CANARY)
    for words in ("trust region", "partly", "Why?", _CANARY):
        assert words in prompt.system
        assert words not in prompt.user


def test_the_criteria_are_shuffled_by_the_seed() -> None:
    rubric = [Criterion(f"c{i}", "", (Level("a", 0), Level("b", 1))) for i in range(6)]

    def order(seed: int) -> list[str]:
        prompt = compose_draft("Why?", rubric, "x", seed=seed, canary=_CANARY)
        items = prompt.schema["properties"]["results"]["items"]["anyOf"]
        return [each["properties"]["criterion"]["const"] for each in items]

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(5)}) > 1


def test_a_repair_says_what_was_wrong() -> None:
    prompt = compose_draft("Why?", _RUBRIC, _ANSWER, seed=1, canary=_CANARY)
    repair = repair_draft(prompt, ["idea: is missing."])
    assert "idea: is missing." in repair.system
    assert repair.user == prompt.user


def test_points_are_those_of_the_levels_whatever_is_claimed() -> None:
    reading = _read([_item("idea", "PARTLY", points=1e6, score=9), _item("clip", "full")])
    assert reading.is_usable
    assert [(each.criterion, each.level, each.points) for each in reading.results] == [
        ("idea", "partly", 1),
        ("clip", "full", 2),
    ]


def test_evidence_is_the_students_own_words_and_place() -> None:
    reading = _read(
        [_item("idea", "full", "is clipped, so the cafe\u0301 policy moves"), *_good()[:1]]
    )
    result = reading.results[0]
    assert result.span is not None
    assert (
        result.evidence == _ANSWER[slice(*result.span)] == "is  clipped,\nso the café policy\tmoves"
    )


@pytest.mark.parametrize(
    ("results", "problem"),
    [
        ([_item("idea", "full")], "clip: is missing"),
        ([*_good(), _item("idea", "partly")], "idea: is there twice"),
        ([*_good(), _item("style", "full")], "unknown criterion"),
        ([_item("idea", "best"), _item("clip", "full")], "idea: level is not one"),
        ([_item("idea", "full", "invented"), _item("clip", "full")], "does not occur"),
        ([_item("idea", "full", ""), _item("clip", "full")], "Only the least level"),
        ([_item("idea", "full", "x" * 401), _item("clip", "full")], "longer than 400"),
        ([_item("idea", "full", reason=""), _item("clip", "full")], "reason is missing"),
        ([_item("idea", "full", reason="y" * 900), _item("clip", "full")], "reason is longer"),
        (
            [
                _item("idea", "full", reason="Accept any wording of a trust region here!"),
                _item("clip", "full"),
            ],
            "repeats the note",
        ),
        ([_item("idea", "full") | {"evidence": 3}, _item("clip", "full")], "evidence is missing"),
        (["full"], "is not an object"),
    ],
)
def test_what_breaks_a_rule_is_told(results: Any, problem: str) -> None:
    reading = _read(results)
    assert not reading.is_usable
    assert any(problem in each for each in reading.problems)


def test_the_least_level_needs_no_evidence() -> None:
    assert _read([_item("idea", "missing", ""), _item("clip", "none", "")]).is_usable


_WHOLE = json.dumps({"results": _good()})


@pytest.mark.parametrize(
    "text", [f"```json\n{_WHOLE}\n```", f"Here it is {{}}: {_WHOLE} Done.", f" \n{_WHOLE}"]
)
def test_an_object_with_words_around_is_read(text: str) -> None:
    assert read_draft(text, _RUBRIC, _ANSWER, _CANARY).is_usable


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no JSON"),
        (_WHOLE[:-5], "cut off"),
        ('{"results": [], "results": []}', "same key twice"),
        ('{"results": [NaN]}', "NaN"),
        ('{"scores": 1}', 'no list "results"'),
        ("[" * 100_000 + "{" + "[" * 100_000, "too long"),
        ("{" * 100_000, "broken"),
        ('{"results": [' + "9" * 5_000 + "]}", "broken"),
    ],
)
def test_what_is_no_such_object_is_told(text: str, problem: str) -> None:
    reading = read_draft(text, _RUBRIC, _ANSWER, _CANARY)
    assert reading.results == ()
    assert any(problem in each for each in reading.problems)


def test_the_secret_mark_makes_a_draft_unusable() -> None:
    reading = _read(
        [_item("idea", "full", reason=f"Fine {_CANARY.upper()}"), _item("clip", "full")]
    )
    assert Flag.CANARY in reading.flags
    assert not reading.is_usable


def test_what_was_hidden_is_put_back_before_it_is_compared() -> None:
    text = json.dumps(
        {"results": [_item("idea", "full", "by [PERSON_1]"), _item("clip", "full", "by")]}
    )
    back: Callable[[str], str] = lambda words: words.replace("[PERSON_1]", 'A "B"\\')  # noqa: E731
    reading = read_draft(text, _RUBRIC, 'by A "B"\\', _CANARY, restore=back)
    assert reading.results[0].evidence == 'by A "B"\\'


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading(text: str) -> None:
    assert not read_draft(text, _RUBRIC, _ANSWER, _CANARY).is_usable


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_what_stands_in_an_answer_is_found(before: str, quote: str, after: str) -> None:
    answer = f"{before} {quote} {after}"
    span = evidence_span(quote, answer)
    if quote.strip():
        assert span is not None
        assert evidence_span(answer[slice(*span)], quote) is not None
    else:
        assert span is None


def test_the_majority_decides_and_the_lower_level_in_a_tie() -> None:
    readings = [_read(_good(idea=each)) for each in ("full", "partly", "full")]
    results, agreement, flags = agree(readings, _RUBRIC)
    assert [each.level for each in results] == ["full", "full"]
    assert results[0].votes == {"full": 2, "partly": 1}
    assert agreement == pytest.approx(2 / 3)
    assert flags == (Flag.DISAGREEMENT,)
    assert agree(readings[:2], _RUBRIC).results[0].level == "partly"


def test_samples_that_agree_have_no_flag() -> None:
    assert agree([_read(_good())] * 3, _RUBRIC)[1:] == (1.0, ())


def test_a_sample_that_cannot_be_used_lowers_the_agreement() -> None:
    found = agree([_read(_good()), _read([])], _RUBRIC)
    assert (found.agreement, found.flags) == (0.5, (Flag.UNUSABLE,))
    assert agree([_read([])], _RUBRIC)[:] == ((), 0.0, (Flag.UNUSABLE,))
