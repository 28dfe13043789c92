"""Answers are guessed one after another, as fast as feedback comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attack_corpus import STANDARD, wrong

from jupyter_ppo.domain.errors import TooManyRequestsError

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

GUESSES = 100


def on_nbgrader(course: Course) -> str:
    # A student's only feedback before the deadline is validation on their own machine, and
    # ``nbgrader submit`` takes any number: no setting of either counts.
    from nbgrader.exchange.default.submit import ExchangeSubmit
    from nbgrader.validator import Validator

    names = [*ExchangeSubmit.class_trait_names(), *Validator.class_trait_names()]
    counted = [name for name in names if "attempt" in name or "max_sub" in name]
    return "" if counted else "nothing counts attempts"


def here(place: Here) -> str:
    assignment = place.release(STANDARD)
    for number in range(GUESSES):
        guess = wrong(answers={"square": f"def square(x):\n    return {number}"})
        try:
            place.submit("guesser", assignment, guess.notebook)
        except TooManyRequestsError:
            return ""
    return f"{GUESSES} guesses were taken"
