from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.grading import ExerciseGrade, Grade, total
from jupyter_ppo.domain.ids import new_id
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
