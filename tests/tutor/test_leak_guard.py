"""What gives a solution away is seen, and a good hint is not taken for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.autograde.hints import authored_hints, guarded_by, hint_subject
from jupyter_ppo.services.hints import MAX_ANSWER
from jupyter_ppo.services.tutor_questions import HINT_BOUNDS
from jupyter_ppo.tutor.leak_guard import code_in, leaks

REFERENCE = """def running_mean(values):
    totals = np.cumsum(values)
    counts = np.arange(1, len(values) + 1)
    return totals / counts"""
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("[0-9]*.ipynb"))


@pytest.mark.parametrize(
    "text",
    [
        "Write totals = np.cumsum(values) first.",
        "Write a = np.cumsum(b) first.",
        "Write `t = np.cumsum(v)` first.",
        "Use `np.arange(1, len(values) + 1)` for it.",
        "Use `np.arange(1, len(x) + 1)` for it.",
        "The counts are np.arange(1, len(values) + 1), as you see.",
        "```python\nprint(1)\n```",
        "Do this:\n    return totals / counts\nand be done.",
        "1. return totals / counts",
        "def running_mean(values):\n    return 1",
        "In the end return total / count, nothing else.",
        "First: x = np.cumsum(y)",
        "Put n\uff1dnp.cumsum(values) there.",
    ],
)
def test_what_gives_the_solution_away_is_seen(text: str) -> None:
    assert leaks(text, REFERENCE) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Look at the number that you divide by: is it the same in every place?",
        "You return the totals and not the means; what is missing in between?",
        "Think of `values` and of np.cumsum, and ask what each place of it holds.",
        "The advantage is the reward plus gamma times the next value, minus the value.",
        "If gamma is 0.9 and the reward is 1, what do you expect for the last step?",
        "For each step in the rollout, ask what came before (and what comes after).",
        "Which class of problems has a final reward only?",
        "Import nothing for this; with what you have it can be done.",
    ],
)
def test_a_good_hint_is_no_leak(text: str) -> None:
    assert leaks(text, REFERENCE) is None


def test_what_the_student_wrote_anyway_may_be_quoted() -> None:
    text = "You have `np.arange(1, len(values) + 1)` right."
    assert leaks(text, REFERENCE) is not None
    assert leaks(text, REFERENCE, f"counts = {text.split('`')[1]}") is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_hint_of_the_courses_authors_is_taken_for_a_leak(path: Path) -> None:
    data = path.read_bytes()
    for grade_id, hints in authored_hints(data).items():
        subject = hint_subject(data, grade_id)
        for words in (hints.concept, hints.location, hints.step):
            assert leaks(words, subject.reference, subject.skeleton) is None, words


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_line_of_every_solution_of_the_course_is_seen(path: Path) -> None:
    for reference in guarded_by(path.read_bytes()).references:
        body = reference.partition("BEGIN SOLUTION")[2].partition("### END")[0]
        assert leaks(f"Look here. {' '.join(body.split())} That is it.", reference) is not None


@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    leaks(text, REFERENCE)
    code_in(text)


_NASTY = [
    "_",
    "0",
    "a",
    "A1",
    "a.b",
    ".",
    "x=",
    "x ",
    "x = 1; ",
    "return ",
    "`",
    "(",
    "\u0435",
    "\n",
]


@pytest.mark.parametrize("piece", _NASTY)
def test_the_longest_words_of_a_model_are_looked_at(piece: str) -> None:
    text = (piece * HINT_BOUNDS.most_characters)[: HINT_BOUNDS.most_characters]
    leaks(text, REFERENCE)


@pytest.mark.parametrize("piece", ["x = 1; ", "a", "x=y ,"])
def test_the_longest_answer_of_a_student_is_looked_at(piece: str) -> None:
    answer = (piece * MAX_ANSWER)[:MAX_ANSWER]
    assert leaks("Write t = np.cumsum(values) first.", REFERENCE, answer) is not None


def test_an_assignment_after_a_long_word_is_seen() -> None:
    assert leaks(f"{'x' * 500} t = np.cumsum(values), as you see.", REFERENCE) is not None
