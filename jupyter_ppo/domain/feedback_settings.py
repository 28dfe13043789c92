"""How a course, or one assignment of it, wants hints, explanations and language models.

A document holds what was chosen; what is absent is as in the course, and there as in the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.setting_values import (
    Check,
    anything,
    dotted,
    is_number,
    truth,
    whole,
    wrong,
)
from jupyter_ppo.domain.tutoring import PICO, Caps, HintLevel

#: The most dollars that a cap may say; more is surely a slip.
MAX_CAP = 1_000_000.0
#: The most samples of one draft, and the fewest and most answers that are marked to calibrate.
MAX_SAMPLES: Final = 9
MIN_CALIBRATION: Final = 20
MAX_CALIBRATION: Final = 500
_BODY = "settings"
_LEVELS = len(HintLevel)


@dataclass(frozen=True, slots=True)
class CapSettings:
    """The most that models may cost, in dollars; None is the server's own limit."""

    user_day: float | None = None
    assignment: float | None = None
    course: float | None = None

    def within(self, ceilings: Caps) -> Caps:
        """Return the caps in picodollars; nobody can go above the server's own limits."""
        return Caps(
            user_day=_lower(self.user_day, ceilings.user_day),
            assignment=_lower(self.assignment, ceilings.assignment),
            course=_lower(self.course, ceilings.course),
        )


@dataclass(frozen=True, slots=True)
class FeedbackSettings:
    """What holds for an assignment; made without arguments these are the defaults.

    ``models_for_hints``: whether a language model may write hints, if the server has one; the
    others are written by authors and by rules. ``hint_levels`` is the highest level, 1 to 4;
    ``hint_costs`` the share of the exercise's points that each level takes, never falling.

    ``drafts`` are made from ``samples`` answers of a model for each answer of a student; those
    whose samples agree at least as much as ``bulk_threshold`` may be approved together. Before
    many are drafted, people mark ``calibration_answers``, and the drafts of these have to agree
    with them to a quadratic weighted kappa of at least ``calibration_qwk``.
    """

    hints: bool = True
    explanations: bool = True
    models_for_hints: bool = True
    models_for_explanations: bool = True
    hint_levels: int = _LEVELS
    hint_costs: tuple[float, ...] = (0.0,) * _LEVELS
    drafts: bool = True
    samples: int = 3
    bulk_threshold: float = 1.0
    calibration_answers: int = MIN_CALIBRATION
    calibration_qwk: float = 0.6
    caps: CapSettings = field(default_factory=CapSettings)

    def document(self) -> dict[str, Any]:
        """Return them as plain JSON data, every field of it."""
        return {
            "hints": self.hints,
            "explanations": self.explanations,
            "models_for_hints": self.models_for_hints,
            "models_for_explanations": self.models_for_explanations,
            "hint_levels": self.hint_levels,
            "hint_costs": list(self.hint_costs),
            "drafts": self.drafts,
            "samples": self.samples,
            "bulk_threshold": self.bulk_threshold,
            "calibration_answers": self.calibration_answers,
            "calibration_qwk": self.calibration_qwk,
            "caps": {
                "user_day": self.caps.user_day,
                "assignment": self.caps.assignment,
                "course": self.caps.course,
            },
        }


@dataclass(frozen=True, slots=True)
class StoredSettings:
    """What was chosen for one scope, and how often; revision 0: never."""

    document: Mapping[str, Any]
    revision: int = 0
    changed_by: str = ""
    changed_at: datetime | None = None


def settings_from(document: object, inherited: FeedbackSettings | None = None) -> FeedbackSettings:
    """Return what a document says on top of ``inherited``, the defaults if None.

    Raises ``InvalidInputError`` naming the field, such as ``caps.user_day``.
    """
    chosen = checked_document(document)
    settings = inherited or FeedbackSettings()
    caps = replace(settings.caps, **chosen.pop("caps", {}))
    costs = chosen.pop("hint_costs", settings.hint_costs)
    return replace(settings, **chosen, hint_costs=tuple(costs), caps=caps)


def checked_document(document: object) -> dict[str, Any]:
    """Return the document without what is null: null, like absence, is to inherit.

    Raises ``InvalidInputError`` naming the field.
    """
    chosen = _members(document, "", _TOP)
    if "caps" in chosen:
        caps = _members(chosen["caps"], "caps", _CAPS)
        chosen["caps"] = caps
        if not caps:
            del chosen["caps"]
    return chosen


def _lower(chosen: float | None, ceiling: int) -> int:
    return ceiling if chosen is None else min(ceiling, round(chosen * PICO))


# -- one field -----------------------------------------------------------------------------------


def _share(value: Any, name: str) -> float:
    if is_number(value) and 0 <= value <= 1:
        return float(value)
    raise wrong(name, value, "a number from 0 to 1")


def _costs(value: object, name: str) -> list[float]:
    use = f"{_LEVELS} numbers from 0 to 1 that never fall, such as [0, 0, 0.1, 0.2]"
    if not isinstance(value, list | tuple) or len(value) != _LEVELS:
        raise wrong(name, value, use)
    costs = [each for each in value if is_number(each) and 0 <= each <= 1]
    if len(costs) != _LEVELS or sorted(costs) != costs:
        raise wrong(name, value, use)
    return [float(each) for each in costs]


def _dollars(value: Any, name: str) -> float:
    if is_number(value) and 0 <= value <= MAX_CAP:
        return float(value)
    raise wrong(name, value, f"dollars from 0 to {MAX_CAP:,.0f}, or null for the server's limit")


_TOP: Final[Mapping[str, Check]] = {
    "hints": truth,
    "explanations": truth,
    "models_for_hints": truth,
    "models_for_explanations": truth,
    "hint_levels": whole(1, _LEVELS),
    "hint_costs": _costs,
    "drafts": truth,
    "samples": whole(1, MAX_SAMPLES),
    "bulk_threshold": _share,
    "calibration_answers": whole(MIN_CALIBRATION, MAX_CALIBRATION),
    "calibration_qwk": _share,
    "caps": anything,
}
_CAPS: Final[Mapping[str, Check]] = dict.fromkeys(("user_day", "assignment", "course"), _dollars)


def _members(value: object, within: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong(within or _BODY, value, "a JSON object")
    found: dict[str, Any] = {}
    for name, each in value.items():
        path = dotted(within, name)
        if name not in checks:
            msg = f"{path[:120]}: there is no such setting. Use {', '.join(checks)}."
            raise InvalidInputError(msg, field=path[:120])
        if each is not None:
            found[name] = checks[name](each, path)
    return found
