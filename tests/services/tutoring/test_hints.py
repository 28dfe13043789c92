"""Hints as a student gets them: the ladder, who writes, what is sent, what falls back."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from llm_server import Behaviour

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    TooManyRequestsError,
)
from jupyter_ppo.domain.hint_ladder import NOT_WANTED, WRITE_FIRST, FailingCheck
from jupyter_ppo.domain.preferences import Preferences
from jupyter_ppo.domain.tutoring import HintLevel, HintSource
from jupyter_ppo.services.model_words import ListenerGoneError

FIRST = "def running_mean(values):\n    return values\n"
SECOND = "def running_mean(values):\n    return np.cumsum(values)\n"
THIRD = "def running_mean(values):\n    return np.cumsum(values) / 2\n"
FAILED = FailingCheck(
    "mean-tests", "AssertionError", "the second mean is (1 + 3) / 2", "Cell In[3], line 1"
)
REFERENCE_LINES = ("totals = np.cumsum(values)", "counts = np.arange(1, len(values) + 1)")
LEAK = (
    "You are nearly there and only the last part is missing now, so look at this line. "
    "Write totals = np.cumsum(values) and then counts = np.arange(1, len(values) + 1) and then "
    "return totals / counts and you are done with it. " + "Try it and see what comes out. " * 6
)


def ask(room: Any, answer: str, **more: Any) -> Any:
    return room.hints.ask(room.sam, "rl", "ps1", "mean", answer, FAILED, **more)


def climb(room: Any, level: int) -> Any:
    """Take hints up to a level, each for another attempt; return the last."""
    attempts = (FIRST, SECOND, THIRD, THIRD + "\nmore = 1\n")
    given = None
    for attempt in attempts[:level]:
        given = ask(room, attempt)
    return given


def test_the_first_hint_restates_the_failing_check_and_asks_no_model(room: Any) -> None:
    given = ask(room, FIRST)
    assert given.hint.level is HintLevel.RESTATE
    assert given.hint.new.source is HintSource.RULE
    assert "The check mean-tests fails" in given.hint.new.text
    assert "the second mean is (1 + 3) / 2" in given.hint.new.text
    assert room.server.received == []


def test_the_second_is_the_models_and_says_so(room: Any) -> None:
    given = climb(room, 2)
    assert given.hint.level is HintLevel.CONCEPT
    assert given.hint.new.source is HintSource.MODEL
    assert given.hint.new.model
    assert 60 <= len(given.hint.new.text.split()) <= 200
    assert given.hint.new.call_id is not None
    assert given.note == ""
    assert len(room.server.received) == 1


def test_the_same_attempt_gets_the_same_hint_at_no_cost(room: Any) -> None:
    first = climb(room, 2)
    again = ask(room, SECOND + "   # only a comment\n")
    assert again.is_again
    assert again.hint == first.hint
    assert len(room.server.received) == 1


def test_a_level_more_needs_code_of_ones_own(room: Any) -> None:
    ask(room, "")
    with pytest.raises(ConflictError) as refused:
        ask(
            room, "def running_mean(values):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
        )
    assert refused.value.message == WRITE_FIRST


def test_the_ladder_tells_what_was_taken_and_what_is_next(room: Any) -> None:
    climb(room, 2)
    ladder = room.hints.ladder(room.sam, "rl", "ps1", "mean")
    assert ladder.enabled
    assert [hint.level for hint in ladder.taken] == [HintLevel.RESTATE, HintLevel.CONCEPT]
    assert ladder.upcoming is HintLevel.LOCATION
    assert ladder.model is not None


def test_nobody_sees_the_hints_of_another(room: Any) -> None:
    climb(room, 2)
    sue = room.world.member("sue", Role.STUDENT)
    ladder = room.hints.ladder(sue, "rl", "ps1", "mean")
    assert ladder.taken == ()
    assert ladder.upcoming is HintLevel.RESTATE


def test_what_is_sent_holds_nothing_that_a_student_must_not_see(room: Any) -> None:
    climb(room, 3)
    for received in room.server.received:
        sent = received.everything
        assert "running_mean([7.0" not in sent  # the hidden test
        assert not any(line in sent for line in REFERENCE_LINES)
        assert "sam" not in received.system + received.user
    assert "np.cumsum(values) / 2" in room.server.received[-1].user
    assert "np.cumsum(values) / 2" not in room.server.received[-1].system


def test_a_model_that_writes_the_solution_is_asked_once_more_and_then_not_shown(room: Any) -> None:
    shown: list[str] = []

    def listen(text: str, is_all: bool) -> bool:
        shown.append(text)
        return True

    room.server.always(Behaviour("ok", text=LEAK))
    ask(room, FIRST)
    given = ask(room, SECOND, on_words=listen)
    assert given.hint.new.source is HintSource.AUTHORED
    assert given.hint.new.text.startswith("The author says")
    assert "not shown" in given.note
    assert len(room.server.received) == 2
    assert not any(line in "".join(shown) for line in REFERENCE_LINES)


def test_a_good_second_answer_takes_the_place_of_a_bad_first_one(room: Any) -> None:
    shown: list[tuple[str, bool]] = []

    def listen(text: str, is_all: bool) -> bool:
        if text:
            shown.append((text, is_all))
        return True

    room.server.will(Behaviour("ok", text=LEAK))
    ask(room, FIRST)
    given = ask(room, SECOND, on_words=listen)
    assert given.hint.new.source is HintSource.MODEL
    assert shown[-1] == (given.hint.new.text, True)


def test_words_come_in_sentences_and_make_the_whole_hint(room: Any) -> None:
    shown: list[str] = []

    def listen(text: str, is_all: bool) -> bool:
        assert not is_all
        shown.append(text)
        return True

    room.server.always("cut_bytes")
    ask(room, FIRST)
    given = ask(room, SECOND, on_words=listen)
    pieces = [text for text in shown if text]
    assert len(pieces) > 2
    assert "".join(pieces) == given.hint.new.text


@pytest.mark.parametrize("text", ["Too short.", "word " * 400])
def test_an_answer_too_short_or_too_long_is_asked_for_again_and_falls_back(
    room: Any, text: str
) -> None:
    room.server.always(Behaviour("ok", text=text))
    given = climb(room, 2)
    assert given.hint.new.source is HintSource.AUTHORED
    assert len(room.server.received) == 2


@pytest.mark.parametrize(
    "kind",
    [
        "refuses",
        "unauthorised",
        "rejected",
        "rate_limited",
        "fails",
        "drops",
        "not_json",
        "empty",
        "truncated",
        "drops_midway",
    ],
)
def test_a_model_that_fails_is_no_error_for_the_student(room: Any, kind: str) -> None:
    room.server.always(kind)
    given = climb(room, 2)
    assert given.hint.new.source is HintSource.AUTHORED
    assert given.note


def test_what_broke_off_after_it_was_shown_is_replaced_by_the_authors_words(room: Any) -> None:
    room.server.always("drops_midway")
    ask(room, FIRST)
    given = ask(room, SECOND, on_words=lambda text, is_all: True)
    assert given.hint.new.source is HintSource.AUTHORED


def test_a_listener_that_goes_away_stops_the_model_and_has_had_the_hint(room: Any) -> None:
    heard: list[str] = []

    def listen(text: str, is_all: bool) -> bool:
        heard.append(text)
        return not text

    ask(room, FIRST)
    with pytest.raises(ListenerGoneError):
        ask(room, SECOND, on_words=listen)
    assert len([text for text in heard if text]) == 1
    again = ask(room, SECOND)
    assert again.is_again
    assert again.hint.new.source is HintSource.AUTHORED


def test_who_goes_away_before_a_word_came_has_had_nothing(room: Any) -> None:
    ask(room, FIRST)
    with pytest.raises(ListenerGoneError):
        ask(room, SECOND, on_words=lambda text, is_all: False)
    assert len(room.hints.ladder(room.sam, "rl", "ps1", "mean").taken) == 1


def test_without_an_author_rules_write(room: Any) -> None:
    room.server.always("fails")
    room.release(room.notebook(hints=False), "ps1")
    given = climb(room, 2)
    assert given.hint.new.source is HintSource.RULE
    assert "Running mean" in given.hint.new.text


def test_a_notebook_can_keep_the_model_away(room: Any) -> None:
    room.release(room.notebook(tutor=False), "ps1")
    given = climb(room, 2)
    assert given.hint.new.source is HintSource.AUTHORED
    assert room.hints.ladder(room.sam, "rl", "ps1", "mean").model is None
    assert room.server.received == []


def test_a_course_can_keep_the_model_away_and_hints_stay(room: Any) -> None:
    room.choose(models_for_hints=False)
    assert climb(room, 2).hint.new.source is HintSource.AUTHORED
    assert room.server.received == []


def test_a_course_can_have_no_hints_and_a_person_can_want_none(room: Any) -> None:
    room.choose(hints=False)
    with pytest.raises(ConflictError):
        ask(room, FIRST)
    room.choose(hints=True)
    room.preferences.change(room.sam.user, lambda _: Preferences(hint_level=0), None)
    with pytest.raises(ConflictError) as refused:
        ask(room, FIRST)
    assert refused.value.message == NOT_WANTED
    ladder = room.hints.ladder(room.sam, "rl", "ps1", "mean")
    assert (ladder.enabled, ladder.upcoming, ladder.why_not) == (False, None, NOT_WANTED)


def test_the_highest_level_is_the_lower_of_the_courses_and_the_persons(room: Any) -> None:
    room.choose(hint_levels=2)
    assert climb(room, 4).hint.level is HintLevel.CONCEPT


def test_a_hint_keeps_what_it_costs(room: Any) -> None:
    room.choose(hint_costs=[0.0, 0.1, 0.2, 0.4])
    assert [climb(room, level).hint.new.cost_fraction for level in (1, 2, 3)] == [0.0, 0.1, 0.2]
    assert room.hints.ladder(room.sam, "rl", "ps1", "mean").cost_fraction == 0.4


def test_money_that_is_used_up_is_no_error_for_the_student(room: Any) -> None:
    room.choose(caps={"user_day": 0.0})
    given = climb(room, 2)
    assert given.hint.new.source is HintSource.AUTHORED
    assert "used up" in given.note
    assert room.server.received == []


def test_without_a_model_nothing_is_missing_and_nothing_is_said_of_one(room: Any) -> None:
    room.without_model()
    given = climb(room, 4)
    assert (given.hint.new.source, given.note) == (HintSource.AUTHORED, "")
    assert room.hints.ladder(room.sam, "rl", "ps1", "mean").model is None


def test_a_person_gets_so_many_an_hour(room: Any) -> None:
    room.choose(models_for_hints=False)
    for number in range(30):
        ask(room, f"x = {number}")
    with pytest.raises(TooManyRequestsError) as refused:
        ask(room, "x = 99")
    assert refused.value.retry_after > 0
    assert ask(room, "x = 3").is_again  # what was given is given again


def test_one_is_written_at_a_time(room: Any) -> None:
    inside, go = threading.Event(), threading.Event()

    def listen(text: str, is_all: bool) -> bool:
        inside.set()
        return go.wait(20)

    ask(room, FIRST)
    first = threading.Thread(target=lambda: ask(room, SECOND, on_words=listen))
    first.start()
    assert inside.wait(20)
    with pytest.raises(TooManyRequestsError):
        ask(room, THIRD)
    go.set()
    first.join()
    assert ask(room, THIRD).hint.level is HintLevel.LOCATION


@pytest.mark.parametrize("grade_id", ["mean-tests", "nothing"])
def test_only_answers_in_code_have_hints(room: Any, grade_id: str) -> None:
    with pytest.raises(NotFoundError):
        room.hints.ladder(room.sam, "rl", "ps1", grade_id)


def test_a_stranger_sees_no_course(room: Any) -> None:
    with pytest.raises(NotFoundError):
        room.hints.ladder(Caller("oto"), "rl", "ps1", "mean")


@pytest.mark.parametrize("answer", ["x" * 50_001, "a\0b", "\ud800"])
def test_an_answer_that_cannot_be_used_is_named(room: Any, answer: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        ask(room, answer)
    assert refused.value.field == "answer"
