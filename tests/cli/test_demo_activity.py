"""What the demo's class did before: believable, taken by the log, and taken once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jupyter_ppo.cli import demo
from jupyter_ppo.cli.app import Context
from jupyter_ppo.cli.course_files import chapters
from jupyter_ppo.cli.demo_activity import NEXT, activity, report_activity, set_next_due
from jupyter_ppo.cli.demo_class import CLASS, HAND_INS, Kind
from jupyter_ppo.cli.demo_hand_in import enrol
from jupyter_ppo.domain.activity import check_event
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Exercise
from jupyter_ppo.domain.progress_records import ClassSort

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
EVENTS = {person.user: list(activity(person, NOW)) for person in CLASS}


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    with Context([f"--PPOService.data_dir={tmp_path / 'data'}"]) as made:
        assessment = made.service.assessment
        assessment.create_course(made.caller, demo.COURSE, demo.TITLE)
        course = assessment.course(made.caller, demo.COURSE).course
        for name in sorted({each.assignment for events in EVENTS.values() for each in events}):
            assessment._courses.release(
                course.id,
                name,
                source_digest="a" * 64,
                release_digest="b" * 64,
                exercises=[Exercise("t", CellKind.TESTS, 1.0, 0)],
                kind=AssignmentKind.NOTEBOOK,
            )
        enrol(made, demo.COURSE)
        yield made


def minutes(user: str) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for each in EVENTS[user]:
        found[each.assignment] += len(each.data.get("minutes", ()))
    return found


def test_every_event_is_one_that_the_log_takes() -> None:
    for user, events in EVENTS.items():
        assert len({each.key for each in events}) == len(events)
        for each in events:
            assert check_event(each, user, chapters(), NOW) is None, each
    assert {person.user: list(activity(person, NOW)) for person in CLASS} == EVENTS


def test_everybody_worked_at_what_they_handed_in_and_the_honest_most() -> None:
    for each in HAND_INS:
        assert minutes(each.user)[each.chapter] > 0, each
    most = {
        kind: max(sum(minutes(one.user).values()) for one in CLASS if one.kind is kind)
        for kind in Kind
    }
    assert most[Kind.HONEST] > most[Kind.HALF_RIGHT] > most[Kind.WRONG] > most[Kind.HOSTILE]
    assert sum(minutes("wren").values()) < 10 * 60


def test_reported_twice_it_counts_once(context: Context) -> None:
    service = context.service.use_cases.progress

    def shown() -> dict[str, int]:
        page = service.students(
            context.caller, demo.COURSE, sort=ClassSort.USER, offset=0, limit=50
        )
        return {row.progress.user: row.progress.minutes for row in page.items}

    assert report_activity(context, demo.COURSE) == sum(map(len, EVENTS.values()))
    first = shown()
    assert set(first) == set(EVENTS)
    assert all(first.values())
    report_activity(context, demo.COURSE)
    assert shown() == first


def test_whoever_was_taken_out_is_passed_over(context: Context) -> None:
    roster = context.service.use_cases.roster
    roster.remove_member(context.caller, demo.COURSE, "otto")
    wanted = sum(len(events) for user, events in EVENTS.items() if user != "otto")
    assert report_activity(context, demo.COURSE) == wanted


def test_one_chapter_is_due_unless_somebody_has_set_its_terms(context: Context) -> None:
    terms = context.service.use_cases.terms
    set_next_due(context, demo.COURSE)
    first = terms.terms(context.caller, demo.COURSE, NEXT).terms
    assert first.due_at is not None
    assert first.due_at > datetime.now(UTC)
    set_next_due(context, demo.COURSE)
    assert terms.terms(context.caller, demo.COURSE, NEXT).terms == first
