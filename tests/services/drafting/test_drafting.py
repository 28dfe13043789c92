"""Estimates, batches that stop and go on, calibration before drafting in bulk, no model at all."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.domain.errors import ConflictError, ModelUnavailableError, NotFoundError
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.tutoring import PICO, BatchState, ItemState


def test_an_estimate_sends_nothing_and_counts_what_is_cached(studio: Any) -> None:
    studio.hand_in_some(2)

    first = studio.parts.drafting.estimate(studio.gil, "rl", "ps1")

    assert (first.answers, first.calls, first.cached_calls) == (2, 6, 0)
    assert first.cost > 0
    assert studio.server.received == []
    studio.draft_all()
    again = studio.parts.drafting.estimate(studio.gil, "rl", "ps1")
    assert (again.calls, again.cached_calls, again.cost) == (0, 6, 0.0)
    assert again.left_course < 1.0


def test_an_estimate_is_of_the_very_batch_that_would_be_drafted(studio: Any) -> None:
    one, *_ = studio.hand_in_some(2)
    estimate, start = studio.parts.drafting.estimate, studio.parts.drafting.start

    none = estimate(studio.gil, "rl", "ps1", for_calibration=True)
    assert (none.answers, none.calls) == (0, 0)
    assert "Mark some in the calibration first" in none.reason
    with pytest.raises(ConflictError, match="for_calibration: none of these answers is marked"):
        start(studio.ines, "rl", "ps1", for_calibration=True)

    levels = {"idea": "some", "words": "yes"}
    studio.parts.calibration.mark(studio.gil, "rl", "ps1", "why", one, levels)
    studio.marks.put(one, "why", Mark(1.5, comment="By hand."), by="gil")
    # An answer that a person has judged is drafted to calibrate, and for nothing else.
    marked = estimate(studio.gil, "rl", "ps1", for_calibration=True)
    assert (marked.answers, marked.skipped, marked.calls) == (1, 0, 3)
    every = estimate(studio.gil, "rl", "ps1")
    assert (every.answers, every.skipped, every.calls) == (2, 1, 3)
    studio.draft_all(for_calibration=True)
    assert len(studio.server.received) == marked.calls


def test_a_batch_stops_when_the_model_fails_and_goes_on_when_resumed(studio: Any) -> None:
    studio.hand_in_some(3)
    studio.server.will("ok", "ok", "ok", "unauthorised")

    batch = studio.batches.batch(studio.draft_all())

    assert batch.state is BatchState.STOPPED
    assert "resume" in batch.message
    assert dict(batch.counts) == {ItemState.DONE: 1, ItemState.WAITING: 2}
    studio.parts.drafting.resume(studio.ines, batch.id)
    studio.parts.queue.work_off(batch.id)
    assert studio.batches.batch(batch.id).state is BatchState.SUCCEEDED
    assert len(studio.queue()) == 3


def test_a_cap_that_is_reached_stops_a_batch_with_what_to_do(studio: Any) -> None:
    studio.hand_in_some(2)
    studio.choose(caps={"assignment": 0.000001})

    batch = studio.batches.batch(studio.draft_all())

    assert batch.state is BatchState.STOPPED
    assert "raise the cap of this assignment" in batch.message
    assert studio.server.received == []


def test_more_than_a_few_answers_need_a_calibration_that_says_its_figures(studio: Any) -> None:
    studio.hand_in_some(6)

    with pytest.raises(ConflictError, match="0 of at least 20 answers are marked"):
        studio.parts.drafting.start(studio.ines, "rl", "ps1")


def test_a_calibration_compares_marks_with_drafts_of_this_model_and_rubric(studio: Any) -> None:
    studio.hand_in_some(21)
    service = studio.parts.calibration
    for number in range(20):
        found = service.next(studio.gil, "rl", "ps1", "why")
        submission = found.answer.submission.id
        levels = {"idea": ["none", "full"][number % 2], "words": "yes"}
        service.mark(studio.gil, "rl", "ps1", "why", submission, levels)
    before = service.report(studio.gil, "rl", "ps1", "why")
    assert (before.marked, before.drafted) == (20, 0)
    assert "Draft the marked answers" in before.why_not
    estimate = studio.parts.drafting.estimate
    marked = estimate(studio.gil, "rl", "ps1", grade_id="why", for_calibration=True)
    assert (marked.answers, marked.calls, marked.reason) == (20, 60, "")
    every = estimate(studio.gil, "rl", "ps1", grade_id="why")
    assert every.answers == 21
    assert "Draft the marked answers" in every.reason

    batch = studio.batches.batch(studio.draft_all(grade_id="why", for_calibration=True))

    assert dict(batch.counts) == {ItemState.DONE: 20}
    after = service.report(studio.gil, "rl", "ps1", "why")
    assert after.drafted == 20
    assert after.overall.n == 40
    assert [each.agreement.n for each in after.criteria] == [20, 20]
    assert after.is_passed == (
        after.overall.qwk is not None and after.overall.qwk.value >= after.threshold
    )


def test_code_that_tests_mark_and_what_has_no_rubric_is_not_drafted(studio: Any) -> None:
    studio.hand_in_some(1)
    with pytest.raises(ConflictError, match="write a rubric first"):
        studio.parts.drafting.estimate(studio.gil, "rl", "ps1", grade_id="tests")
    with pytest.raises(NotFoundError):
        studio.parts.drafting.estimate(studio.gil, "rl", "ps1", grade_id="nothing")


def test_drafts_that_are_switched_off_say_where_they_are_switched_on(studio: Any) -> None:
    studio.hand_in_some(1)
    studio.choose(drafts=False)
    with pytest.raises(ConflictError, match="feedback settings"):
        studio.parts.drafting.start(studio.ines, "rl", "ps1")


def test_without_a_model_people_go_on_by_hand(studio: Any) -> None:
    (one,) = studio.hand_in_some(1)
    parts = studio.without_model()
    with pytest.raises(ModelUnavailableError, match="Marking by hand works"):
        parts.drafting.estimate(studio.gil, "rl", "ps1")
    levels = {"idea": "some", "words": "yes"}
    report = parts.calibration.mark(studio.gil, "rl", "ps1", "why", one, levels)
    assert report.marked == 1
    assert parts.reviewing.queue(studio.gil, "rl", "ps1", offset=0, limit=9).total == 0


def test_what_a_batch_cost_is_what_its_calls_cost(studio: Any) -> None:
    studio.hand_in_some(2)
    batch = studio.draft_all()
    usages = [
        call.usage
        for call in studio.calls.page(studio.assignment.course_id, offset=0, limit=99).items
    ]
    cost = sum(usage.input * 1_000_000 + usage.output * 2_000_000 for usage in usages)
    view = studio.parts.drafting.batch(studio.gil, batch)
    assert view.spent == cost / PICO


def test_threads_draft_what_is_started_and_end_when_told(studio: Any) -> None:
    studio.hand_in_some(3)
    studio.parts.queue.start()
    view = studio.parts.drafting.start(studio.ines, "rl", "ps1")
    while studio.batches.batch(view.batch.id).state is BatchState.RUNNING:
        studio.server.wait(0.02)
    studio.parts.queue.stop()
    assert studio.batches.batch(view.batch.id).state is BatchState.SUCCEEDED
    assert len(studio.queue()) == 3
