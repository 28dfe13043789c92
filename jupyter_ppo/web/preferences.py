"""The caller's own preferences."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field
from tornado import web

from jupyter_ppo.domain.preferences import (
    MAX_HINT_LEVEL,
    MAX_SMOOTHING,
    Axis,
    Band,
    Mode,
    Preferences,
    StoredPreferences,
    Theme,
    Tour,
    preferences_from,
)
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Time
from jupyter_ppo.web.operations import Action, answers, permitted

_DEFAULTS = Preferences()
_MAX_BYTES = 16 * 2**10

Smoothing = Annotated[int, Field(ge=1, le=MAX_SMOOTHING)]
HintLevel = Annotated[int, Field(ge=0, le=MAX_HINT_LEVEL)]


class _Document(Body):
    """A part of a document: true is no number here, and "2" no number either."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class NewChart(_Document):
    """What charts begin with."""

    smoothing: Smoothing = _DEFAULTS.chart.smoothing
    axis: Axis = _DEFAULTS.chart.axis
    band: Band = _DEFAULTS.chart.band


class NewNotifications(_Document):
    """What JupyterLab says by itself."""

    feedback: bool = _DEFAULTS.notifications.feedback
    due: bool = _DEFAULTS.notifications.due
    achievements: bool = _DEFAULTS.notifications.achievements


class NewPrivacy(_Document):
    """Whether JupyterLab reports time on task."""

    activity: bool = _DEFAULTS.privacy.activity


class NewPreferences(_Document):
    """The whole preferences; what is absent has its default."""

    mode: Mode = _DEFAULTS.mode
    theme: Theme = _DEFAULTS.theme
    chart: NewChart = NewChart()
    hint_level: HintLevel = _DEFAULTS.hint_level
    notifications: NewNotifications = NewNotifications()
    pseudonym: str = _DEFAULTS.pseudonym
    privacy: NewPrivacy = NewPrivacy()
    tour: Tour = _DEFAULTS.tour


class ChartPatch(_Document):
    """Changes of what charts begin with; null brings a default back."""

    smoothing: Smoothing | None = None
    axis: Axis | None = None
    band: Band | None = None


class NotificationsPatch(_Document):
    """Changes of what JupyterLab says by itself; null brings a default back."""

    feedback: bool | None = None
    due: bool | None = None
    achievements: bool | None = None


class PrivacyPatch(_Document):
    """A change of whether JupyterLab reports time on task; null brings the default back."""

    activity: bool | None = None


class PreferencesPatch(_Document):
    """A JSON merge patch (RFC 7396): what is absent stays, null brings a default back."""

    mode: Mode | None = None
    theme: Theme | None = None
    chart: ChartPatch | None = None
    hint_level: HintLevel | None = None
    notifications: NotificationsPatch | None = None
    pseudonym: str | None = None
    privacy: PrivacyPatch | None = None
    tour: Tour | None = None


class ChartPreferences(Answer):
    """What charts begin with; ``smoothing``: so many points are averaged, 1 is none."""

    smoothing: int
    axis: Axis
    band: Band


class NotificationPreferences(Answer):
    """What JupyterLab says by itself."""

    feedback: bool
    due: bool
    achievements: bool


class PrivacyPreferences(Answer):
    """Whether JupyterLab reports time on task."""

    activity: bool


class PreferencesDocument(Answer):
    """What a person chose for themselves."""

    mode: Mode
    theme: Theme
    chart: ChartPreferences
    hint_level: int
    notifications: NotificationPreferences
    pseudonym: str
    privacy: PrivacyPreferences
    tour: Tour


class PreferencesAnswer(Answer):
    """The caller's preferences; of revision 0, and without a time, until they change any."""

    revision: int
    updated_at: Time | None
    preferences: PreferencesDocument

    @classmethod
    def of(cls, stored: StoredPreferences) -> PreferencesAnswer:
        """Make the body from the domain's object."""
        return cls(
            revision=stored.revision,
            updated_at=stored.updated_at,
            preferences=PreferencesDocument.model_validate(stored.preferences.document()),
        )


class PreferencesHandler(PPOHandler):
    """``/me/preferences``: what the caller chose for themselves."""

    max_json_bytes: ClassVar[int] = _MAX_BYTES

    @web.authenticated
    @permitted(Action.READ)
    @answers(PreferencesAnswer)
    async def get(self) -> None:
        """Return the caller's preferences; the defaults until they change any."""
        self._reply(await self.ask(self.use_cases.preferences.preferences))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(PreferencesAnswer, body=NewPreferences, has_revision=True)
    async def put(self) -> None:
        """Replace the caller's preferences; what is absent gets its default."""
        preferences = preferences_from(self.json_body(NewPreferences).model_dump())
        seen = self.seen_revision()
        self._reply(await self.ask(self.use_cases.preferences.replace, preferences, seen))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(PreferencesAnswer, body=PreferencesPatch, has_revision=True)
    async def patch(self) -> None:
        """Change some of the caller's preferences: a JSON merge patch (RFC 7396)."""
        patch: dict[str, Any] = self.json_body(PreferencesPatch).model_dump(exclude_unset=True)
        seen = self.seen_revision()
        self._reply(await self.ask(self.use_cases.preferences.patch, patch, seen))

    def _reply(self, stored: StoredPreferences) -> None:
        self.set_header("ETag", f'"{stored.revision}"')
        self.reply(PreferencesAnswer.of(stored))


handlers = [("/me/preferences", PreferencesHandler)]
