import itertools

import pytest

from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.submissions import SubmissionState, checked_transition

LEGAL = {
    ("submitted", "queued"),
    ("submitted", "graded"),
    ("queued", "grading"),
    ("queued", "failed"),
    ("queued", "submitted"),
    ("queued", "graded"),
    ("grading", "submitted"),
    ("grading", "graded"),
    ("grading", "failed"),
    ("grading", "queued"),
    ("graded", "queued"),
    ("failed", "queued"),
}


@pytest.mark.parametrize(("now", "then"), list(itertools.product(SubmissionState, repeat=2)))
def test_a_submission_moves_only_along_the_drawn_ways(
    now: SubmissionState, then: SubmissionState
) -> None:
    if (now.value, then.value) in LEGAL:
        assert checked_transition(now, then) is then
    else:
        with pytest.raises(ConflictError, match=f"{now} cannot become {then}"):
            checked_transition(now, then)
