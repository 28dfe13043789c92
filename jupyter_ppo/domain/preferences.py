"""What a person chose for themselves: mode, looks, hints, notifications, privacy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.leaderboard import checked_pseudonym
from jupyter_ppo.domain.setting_values import Check, anything, dotted, truth, whole, wrong

#: The widest window that the charts offer, in points.
MAX_SMOOTHING: Final = 1000
MAX_HINT_LEVEL: Final = 4
_BODY: Final = "body"


class Mode(StrEnum):
    """How much of the panel is shown and explained."""

    GUIDED = "guided"
    STANDARD = "standard"
    EXPERT = "expert"


class Theme(StrEnum):
    """JupyterLab's theme; ``follow`` leaves it as it is."""

    FOLLOW = "follow"
    LIGHT = "light"
    DARK = "dark"


class Axis(StrEnum):
    """The scale of the values in the charts of a run."""

    LINEAR = "linear"
    LOG = "log"


class Band(StrEnum):
    """How seeds of one setting are drawn: each by itself, or together with a band.

    ``iqr`` is the median with the interquartile range, ``ci`` the interquartile mean with its 95 %
    bootstrap interval.
    """

    NONE = "none"
    IQR = "iqr"
    CI = "ci"


class Tour(StrEnum):
    """Whether the tour is to be offered: not yet seen, put off, or done with."""

    NEW = "new"
    LATER = "later"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ChartPreferences:
    """What charts begin with. ``smoothing``: so many points are averaged, 1 (none) to 1000."""

    smoothing: int = 1
    axis: Axis = Axis.LINEAR
    band: Band = Band.NONE


@dataclass(frozen=True, slots=True)
class NotificationPreferences:
    """What JupyterLab says by itself: new feedback, due times that come near, achievements."""

    feedback: bool = True
    due: bool = True
    achievements: bool = True


@dataclass(frozen=True, slots=True)
class PrivacyPreferences:
    """``activity``: whether JupyterLab reports time on task; it sends none otherwise."""

    activity: bool = True


@dataclass(frozen=True, slots=True)
class Preferences:
    """One person's preferences on this server; made without arguments they are the defaults.

    ``hint_level`` is how much a hint may give away, 0 (no hints) to 4. ``pseudonym`` is offered
    when they join a leaderboard; "" is none.
    """

    mode: Mode = Mode.GUIDED
    theme: Theme = Theme.FOLLOW
    chart: ChartPreferences = field(default_factory=ChartPreferences)
    hint_level: int = 4
    notifications: NotificationPreferences = field(default_factory=NotificationPreferences)
    pseudonym: str = ""
    privacy: PrivacyPreferences = field(default_factory=PrivacyPreferences)
    tour: Tour = Tour.NEW

    def document(self) -> dict[str, Any]:
        """Return them as plain JSON data, every field of it."""
        return _plain(asdict(self))


@dataclass(frozen=True, slots=True)
class StoredPreferences:
    """Preferences and how often they were changed; revision 0 and no time: never."""

    preferences: Preferences
    revision: int = 0
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What came of a change: what was stored ``before``, what is ``after``, what was ``wanted``.

    ``is_stale``: it was made from an older revision, and nothing was changed.
    """

    before: StoredPreferences
    after: StoredPreferences
    wanted: Preferences
    is_stale: bool = False


def preferences_from(document: object) -> Preferences:
    """Return the preferences that a JSON document says; what is absent has its default.

    Raises ``InvalidInputError`` naming the field, such as ``chart.smoothing``.
    """
    values = _fields(document, "", _TOP)
    chart = _fields(values.get("chart", {}), "chart", _CHART)
    notifications = _fields(values.get("notifications", {}), "notifications", _NOTIFICATIONS)
    privacy = _fields(values.get("privacy", {}), "privacy", _PRIVACY)
    return Preferences(
        **values
        | {
            "chart": ChartPreferences(**chart),
            "notifications": NotificationPreferences(**notifications),
            "privacy": PrivacyPreferences(**privacy),
        }
    )


def merged(target: Any, patch: Any) -> Any:
    """Return ``target`` after a JSON merge patch; neither is changed.

    null takes a member away, an object is merged into the member, anything else replaces it.
    Source: RFC 7396, section 2.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def patched(before: Preferences, patch: object) -> Preferences:
    """Return the preferences after a JSON merge patch; null brings a default back.

    Raises ``InvalidInputError`` naming the field that cannot be used.
    """
    if not isinstance(patch, Mapping):
        use = 'a JSON object of what changes, such as {"mode": "expert"}'
        raise wrong(_BODY, patch, use)
    _known_nulls(patch)
    return preferences_from(merged(before.document(), patch))


def changed_fields(before: Preferences, after: Preferences) -> list[str]:
    """Return the names of the fields that differ, such as ``chart.axis``, in order."""
    old, new = flat(before), flat(after)
    return [name for name in old if old[name] != new[name]]


def flat(preferences: Preferences) -> dict[str, Any]:
    """Return every single value by its dotted name."""
    found: dict[str, Any] = {}
    for name, value in preferences.document().items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


# -- one field -----------------------------------------------------------------------------------


def _one_of(kind: type[StrEnum]) -> Check:
    def check(value: object, name: str) -> StrEnum:
        if isinstance(value, str) and value in list(kind):
            return kind(value)
        raise wrong(name, value, " or ".join(repr(each.value) for each in kind))

    return check


def _pseudonym(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise wrong(name, value, "text, '' for none")
    return checked_pseudonym(value) if value else ""


_TOP: Final[Mapping[str, Check]] = {
    "mode": _one_of(Mode),
    "theme": _one_of(Theme),
    "chart": anything,
    "hint_level": whole(0, MAX_HINT_LEVEL),
    "notifications": anything,
    "pseudonym": _pseudonym,
    "privacy": anything,
    "tour": _one_of(Tour),
}
_CHART: Final[Mapping[str, Check]] = {
    "smoothing": whole(1, MAX_SMOOTHING),
    "axis": _one_of(Axis),
    "band": _one_of(Band),
}
_NOTIFICATIONS: Final[Mapping[str, Check]] = dict.fromkeys(
    ("feedback", "due", "achievements"), truth
)
_PRIVACY: Final[Mapping[str, Check]] = {"activity": truth}
_INNER: Final[Mapping[str, Mapping[str, Check]]] = {
    "chart": _CHART,
    "notifications": _NOTIFICATIONS,
    "privacy": _PRIVACY,
}


def _fields(value: object, within: str, checks: Mapping[str, Check]) -> dict[str, Any]:
    """Return the checked members of an object; ``within`` is the name of the object."""
    if not isinstance(value, Mapping):
        raise wrong(within or _BODY, value, "a JSON object")
    checked: dict[str, Any] = {}
    for name, each in value.items():
        if name not in checks:
            raise _unknown(dotted(within, name), checks)
        checked[name] = checks[name](each, dotted(within, name))
    return checked


def _known_nulls(patch: Mapping[str, Any]) -> None:
    """Refuse an unknown field also where the patch takes it away: it is a slip of the pen."""
    for name, value in patch.items():
        if name not in _TOP:
            raise _unknown(name, _TOP)
        if name in _INNER and isinstance(value, Mapping):
            for inner in value:
                if inner not in _INNER[name]:
                    raise _unknown(dotted(name, inner), _INNER[name])


def _unknown(name: str, known: Mapping[str, object]) -> InvalidInputError:
    msg = f"{name[:120]}: there is no such preference. Use {', '.join(known)}."
    return InvalidInputError(msg, field=name[:120])


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _plain(value)
        if isinstance(value, dict)
        else (value.value if isinstance(value, StrEnum) else value)
        for name, value in values.items()
    }
