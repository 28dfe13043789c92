"""Hints without an author's words and without a model: made from the exercise and what fails."""

from __future__ import annotations

from jupyter_ppo.domain.chapters import Tier
from jupyter_ppo.domain.hint_ladder import FailingCheck, HintSubject, SubjectCheck
from jupyter_ppo.domain.tutoring import HintLevel
from jupyter_ppo.tutor.error_places import place_of, short
from jupyter_ppo.tutor.error_rules import explain_error

_TIERS = {
    Tier.SHAPE: "looks at shapes, types and whether inputs were left alone",
    Tier.HAND: "is a case worked out by hand",
    Tier.RANDOM: "tries random inputs against another way to compute the same",
    Tier.PROPERTY: "tries what has to hold for any input",
}
_TIER_STEPS = {
    Tier.SHAPE: "compare the shape and the kind of numbers of each value with the signature",
    Tier.HAND: "work the check's case out on paper, and compare every number on the way",
    Tier.RANDOM: "try the smallest input first: one step, one environment, one sample",
    Tier.PROPERTY: "ask for which input the rule in the check could break, and try that one",
}
_MOST = 500


def restated(subject: HintSubject, failing: FailingCheck | None) -> str:
    """Return what the failing check asks for; without one, what the exercise asks for."""
    parts: list[str] = []
    if failing is not None and not failing.is_empty:
        check = _check_of(subject, failing)
        parts.append(_failed(failing, check))
        if failing.error_type and failing.error_type != "AssertionError":
            told = explain_error(
                failing.error_type, failing.message, failing.traceback, subject.skeleton
            )
            parts.append(told.means)
    else:
        parts.append("No failing check is known yet. This is what the exercise asks for.")
    if subject.signature:
        parts.append(f"Asked for: {short(subject.signature, _MOST)}.")
    tiers = [_TIERS[check.tier] for check in subject.checks if check.tier is not None]
    if tiers and (failing is None or failing.is_empty):
        listed = "; ".join(f"one {words}" for words in dict.fromkeys(tiers))
        parts.append(f"Its checks: {listed}.")
    return "\n\n".join(parts)


def by_rule(
    subject: HintSubject, level: HintLevel, failing: FailingCheck | None, answer: str
) -> str:
    """Return a hint of ``level`` made by rules; what is given in is untrusted text."""
    match level:
        case HintLevel.RESTATE:
            return restated(subject, failing)
        case HintLevel.CONCEPT:
            return _concept(subject)
        case HintLevel.LOCATION:
            return _location(subject, failing, answer)
        case HintLevel.STEP:
            return _step(subject, failing)


def _check_of(subject: HintSubject, failing: FailingCheck) -> SubjectCheck | None:
    """Return the test cell that failed, if its name or its message tells."""
    for check in subject.checks:
        if check.grade_id == failing.check:
            return check
    said = failing.message.strip()
    if len(said) < 8:
        return None
    return next((check for check in subject.checks if said in check.text), None)


def _failed(failing: FailingCheck, check: SubjectCheck | None) -> str:
    name = short(failing.check) or (check.grade_id if check is not None else "")
    told = f"The check {name} fails." if name else "A check fails."
    if check is not None and check.tier is not None:
        told += f" It {_TIERS[check.tier]}."
    if failing.message.strip():
        kind = short(failing.error_type)
        by = "It says" if kind in {"", "AssertionError"} else f"It ends with {kind}"
        told += f" {by}: {short(failing.message, _MOST)}."
    return told


def _concept(subject: HintSubject) -> str:
    parts = []
    if subject.goals:
        goals = "; ".join(goal.rstrip(".") for goal in subject.goals)
        parts.append(f"This exercise practises: {goals}.")
    parts.append(
        f"Read the section {subject.title!r} above the answer once more, with one question: which "
        "of its sentences or formulas does your code not say yet?"
    )
    if subject.signature:
        parts.append(
            "Then say in one sentence, without code, how the result comes from the inputs of "
            f"{short(subject.signature, _MOST)}."
        )
    return " ".join(parts)


def _location(subject: HintSubject, failing: FailingCheck | None, answer: str) -> str:
    if failing is not None and failing.traceback:
        place = place_of(failing.traceback, answer)
        if place.line:
            return f"{place.sentence} Print these values just before that line."
    check = None if failing is None else _check_of(subject, failing)
    if check is not None:
        return (
            f"Look at the first line of the check {check.grade_id} that fails: it says what goes "
            "in. Follow those very inputs through your code, line by line, and stop at the first "
            "value that is not what you expect."
        )
    named = f" in {short(subject.signature.partition('(')[0])}" if subject.signature else ""
    return (
        f"Begin at the last line{named} that gives the result back, and go up: which line makes "
        "each value that is in it? Look first at the ends of loops and at axes of sums and means."
    )


def _step(subject: HintSubject, failing: FailingCheck | None) -> str:
    if failing is not None and failing.error_type not in {"", "AssertionError"}:
        told = explain_error(failing.error_type, failing.message, failing.traceback)
        return "Next: " + " ".join(told.tries)
    check = None if failing is None else _check_of(subject, failing)
    tier = Tier.HAND if check is None or check.tier is None else check.tier
    return (
        f"Next: {_TIER_STEPS[tier]}. Write down the result of each line for the smallest input "
        "that goes wrong, by hand, and beside it what your code prints. The first pair that "
        "differs is the line to change; change that one line only, and run the checks again."
    )
