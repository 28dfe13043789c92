from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.grading import ExerciseGrade, Grade, less_hints, total
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.marks import Mark
from jupyter_ppo.domain.sandbox import Verdict


def _grade(*exercises: ExerciseGrade) -> Grade:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Grade(new_id(), exercises, Verdict.RAN, "", "0" * 64, now, 1.0)


def test_points_add_up_without_the_noise_of_binary_fractions() -> None:
    assert total([0.1, 0.2]) == 0.3


@given(st.lists(st.integers(0, 1000)))
def test_whole_points_add_up_exactly(points: list[int]) -> None:
    assert total(points) == sum(points)


def test_a_grade_needs_review_while_any_exercise_does() -> None:
    auto = ExerciseGrade("a", 2, 2, needs_review=False, reason="")
    manual = ExerciseGrade("b", 0, 3, needs_review=True, reason="")
    assert not _grade(auto).needs_review
    both = _grade(auto, manual)
    assert (both.needs_review, both.points, both.max_points) == (True, 2, 5)


def test_hints_take_a_share_of_what_was_earned_and_the_reason_says_so() -> None:
    grades = (
        ExerciseGrade("gae_hand", 2.0, 2.0, False, "All passed."),
        ExerciseGrade("gae_random", 0.0, 4.0, False, "1 of 2 failed."),
        ExerciseGrade("other", 1.0, 1.0, False, "All passed."),
    )
    hand, nothing, other = less_hints(grades, {"gae_hand": 0.25, "gae_random": 0.25})
    assert (hand.points, hand.hint_deduction, hand.score) == (1.5, 0.5, 1.5)
    assert hand.reason == "All passed. Hints took 0.5 of 2 points."
    assert nothing == grades[1]
    assert other == grades[2]


@given(
    st.lists(st.floats(0, 1000), min_size=1, max_size=5),
    st.lists(st.floats(0, 1), min_size=5, max_size=5),
)
def test_hints_never_take_more_than_there_is(points: list[float], shares: list[float]) -> None:
    grades = [ExerciseGrade(f"e{n}", each, 1000.0, False, "") for n, each in enumerate(points)]
    left = less_hints(grades, {f"e{n}": share for n, share in enumerate(shares)})
    for before, after in zip(grades, left, strict=True):
        assert 0 <= after.points <= before.points
        assert abs(after.points + after.hint_deduction - before.points) < 1e-6


def test_what_a_person_gives_is_not_less_for_hints() -> None:
    grade = ExerciseGrade("gae", 2.0, 2.0, False, "", mark=Mark(2.0))
    (after,) = less_hints([grade], {"gae": 0.5})
    assert after.score == 2.0
