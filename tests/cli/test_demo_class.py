"""The demo's class: what it hands in, once only, and how its points are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest

from jupyter_ppo.autograde.release import make_release, to_bytes
from jupyter_ppo.cli import demo
from jupyter_ppo.cli.app import Context
from jupyter_ppo.cli.course_files import chapters, course_notebook, reference_answers
from jupyter_ppo.cli.demo_class import CHECKED, CLASS, GAE, HAND_INS, LOOP, HandIn, Kind
from jupyter_ppo.cli.demo_class_check import honest_part, wrong_order
from jupyter_ppo.cli.demo_hand_in import answered, enrol, hand_in, release_chapters
from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.terms import Terms

KINDS = {person.user: person.kind for person in CLASS}


def released(chapter: str) -> bytes:
    return to_bytes(make_release(course_notebook(chapter).read_bytes()).release)


@pytest.fixture(scope="module")
def copies() -> dict[str, bytes]:
    return {name: released(name) for name in {each.chapter for each in HAND_INS}}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with Context([f"--PPOService.data_dir={tmp_path / 'data'}"]) as made:
        made.service.assessment.create_course(made.caller, demo.COURSE, demo.TITLE)
        yield made


def attempts(context: Context) -> Counter[tuple[str, str]]:
    assessment, caller = context.service.assessment, context.caller
    names = {each.chapter for each in HAND_INS}
    return Counter(
        (each.user, name)
        for name in names
        for each in assessment.submissions(
            caller, demo.COURSE, assignment=name, offset=0, limit=100
        ).items
    )


@pytest.mark.parametrize("each", HAND_INS, ids=lambda each: f"{each.user}-{each.chapter}")
def test_every_change_is_of_an_answer_that_the_chapter_has(
    each: HandIn, copies: dict[str, bytes]
) -> None:
    solutions = reference_answers(each.chapter)
    assert set(each.changes) <= set(solutions)
    notebook = nbformat.reads(answered(copies[each.chapter], each).decode(), as_version=4)
    skeleton = nbformat.reads(copies[each.chapter].decode(), as_version=4)
    for cell, before in zip(notebook.cells, skeleton.cells, strict=True):
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name not in solutions:
            assert cell.source == before.source
        elif name not in each.changes:
            assert cell.source == solutions[name]
        elif each.changes[name] is None:
            assert cell.source == before.source
        else:
            assert cell.source not in {solutions[name], before.source}
        assert "SOLUTION" not in cell.source


def test_the_class_has_all_kinds_a_late_one_and_a_second_attempt() -> None:
    assert len(CLASS) == len(KINDS) == 10
    assert set(KINDS.values()) == set(Kind)
    assert {KINDS[user] for user in CHECKED} == set(Kind)
    assert {each.user for each in HAND_INS} == set(KINDS)
    assert max(Counter((each.user, each.chapter) for each in HAND_INS).values()) == 2


def test_a_solution_without_the_text_of_a_change_is_told(copies: dict[str, bytes]) -> None:
    change = HandIn("wren", LOOP, {"discounted_return": ("no such text", "")})
    with pytest.raises(ConflictError, match="no such text"):
        answered(copies[LOOP], change)


def test_forged_points_are_in_every_test_cell(copies: dict[str, bytes]) -> None:
    data = answered(copies[LOOP], HandIn("trudy", LOOP, forged_points=99))
    cells = nbformat.reads(data.decode(), as_version=4).cells
    marks = [cell.metadata.get("nbgrader", {}) for cell in cells]
    tests = [each for each in marks if each.get("grade") and not each.get("solution")]
    assert {each["points"] for each in tests} == {99}


def test_it_is_handed_in_once_however_often_the_demo_starts(context: Context) -> None:
    names = sorted({each.chapter for each in HAND_INS})
    release_chapters(context, demo.COURSE, names)
    enrol(context, demo.COURSE)
    first = HAND_INS[0]
    assert hand_in(context, demo.COURSE, [first]) == 1  # as if it had been interrupted then
    assert hand_in(context, demo.COURSE) == len(HAND_INS) - 1
    expected = Counter((each.user, each.chapter) for each in HAND_INS)
    assert attempts(context) == expected

    release_chapters(context, demo.COURSE, names)
    enrol(context, demo.COURSE)
    assert hand_in(context, demo.COURSE) == 0
    assert attempts(context) == expected
    assignment = context.service.assessment.assignment(context.caller, demo.COURSE, LOOP)
    assert assignment.version.number == 1
    assert assignment.version.note == "Chapter 0: The loop"


def test_one_is_late_and_the_terms_that_a_person_set_are_kept(context: Context) -> None:
    release_chapters(context, demo.COURSE, [GAE])
    enrol(context, demo.COURSE)
    everything = [each for each in HAND_INS if each.chapter == GAE]
    hand_in(context, demo.COURSE, everything)
    terms = context.service.use_cases.terms
    view = terms.terms(context.caller, demo.COURSE, GAE)
    assert view.terms.due_at is not None
    late = [
        each.user
        for each in context.service.assessment.every_latest(context.caller, demo.COURSE, GAE)
        if each.submitted_at > view.terms.due_at
    ]
    assert late == ["jonas"]

    due = datetime.now(UTC) + timedelta(days=3)
    mine = Terms(due_at=due, revision=view.terms.revision)
    terms.set_terms(context.caller, demo.COURSE, GAE, mine)
    hand_in(context, demo.COURSE, [*everything, HandIn("wren", GAE, hours_ago=1)])
    assert terms.terms(context.caller, demo.COURSE, GAE).terms.due_at == due


def test_a_person_who_was_taken_out_of_the_course_stays_out(context: Context) -> None:
    release_chapters(context, demo.COURSE, [LOOP])
    enrol(context, demo.COURSE)
    roster = context.service.use_cases.roster
    roster.remove_member(context.caller, demo.COURSE, "wren")
    enrol(context, demo.COURSE)
    assert roster.member(context.caller, demo.COURSE, "wren").removed_at is not None
    assert hand_in(context, demo.COURSE, [HandIn("wren", LOOP), HandIn("mila", LOOP)]) == 1


def test_the_demo_goes_on_when_its_class_cannot_be_brought_in(
    context: Context, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        msg = "there is no room"
        raise ConflictError(msg)

    monkeypatch.setattr(demo, "release_chapters", refused)
    demo._bring_class(context)
    assert "not complete: there is no room" in capsys.readouterr().err


def test_the_chapters_come_in_their_order() -> None:
    names = chapters()
    assert names == tuple(sorted(names))
    assert {LOOP, GAE} <= set(names)


def test_the_points_of_a_class_must_be_in_the_order_of_their_work() -> None:
    parts = {"mallory": 5.0}
    right = {"tamsin": 27.0, "noor": 17.0, "otto": 6.0, "mallory": 5.0}
    assert wrong_order(right, parts) == []
    assert len(wrong_order({**right, "noor": 27.0}, parts)) == 1
    assert len(wrong_order({**right, "otto": 18.0}, parts)) == 1
    assert wrong_order({**right, "mallory": 6.0}, parts) == ["mallory scored 6 and deserves 5."]
    assert len(wrong_order({"mallory": 0.0}, parts)) == 2


def test_the_honest_part_is_that_of_the_exercises_answered_as_the_author_would() -> None:
    (mallory,) = [each for each in HAND_INS if each.user == "mallory"]
    assert honest_part(mallory) == 5
    assert honest_part(HandIn("wren", LOOP)) == 27
