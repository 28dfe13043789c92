"""The whole address table, made from the resources' own lists."""

from __future__ import annotations

import re

from tornado import web

from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.web import (
    achievements,
    api_tokens,
    assignments,
    batches,
    calibration,
    courses,
    drafts,
    entries,
    execution,
    explanations,
    feedback_settings,
    gradebook,
    grades,
    health,
    hints,
    leaderboard,
    marking,
    me,
    model_calls,
    openapi,
    outcomes,
    preferences,
    privacy,
    progress,
    roster,
    sealing,
    self_checks,
    submissions,
    terms,
    training,
    training_comparing,
    training_stream,
    trash,
    trials,
    tutor,
    versions,
    webhooks,
)
from jupyter_ppo.web.base import API_PREFIX, PPOHandler

Route = tuple[str, type[PPOHandler]]

#: Every address below ``API_PREFIX``, in the spelling of OpenAPI.
ROUTES: tuple[Route, ...] = (
    *health.handlers,
    *me.handlers,
    *preferences.handlers,
    *api_tokens.handlers,
    *webhooks.handlers,
    *privacy.handlers,
    *feedback_settings.handlers,
    *self_checks.handlers,
    *courses.handlers,
    *assignments.handlers,
    *sealing.handlers,
    *submissions.handlers,
    *grades.handlers,
    *leaderboard.handlers,
    *progress.handlers,
    *roster.handlers,
    *trash.handlers,
    *terms.handlers,
    *versions.handlers,
    *batches.handlers,
    *marking.handlers,
    *drafts.handlers,
    *calibration.handlers,
    *gradebook.handlers,
    *entries.handlers,
    *outcomes.handlers,
    *achievements.handlers,
    *trials.handlers,
    *hints.handlers,
    *explanations.handlers,
    *execution.handlers,
    *training_comparing.handlers,  # before /runs/{run_id}, which matches them as well
    *training.handlers,
    *training_stream.handlers,
    *tutor.handlers,
    *model_calls.handlers,
    *openapi.handlers,
)


class UnknownHandler(PPOHandler):
    """Every other address below the prefix: signed in or not, never a page of the server."""

    async def prepare(self) -> None:  # type: ignore[override]
        """Refuse whatever the method is."""
        await super().prepare()
        msg = "There is nothing at this address."
        raise NotFoundError(msg)


def url_pattern(path: str) -> str:
    """Return the regular expression of an address that is spelled as in OpenAPI."""
    return API_PREFIX + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)


def url_rules() -> list[tuple[str, type[web.RequestHandler]]]:
    """Return the rules for the web application, without its base address."""
    rules: list[tuple[str, type[web.RequestHandler]]] = [
        (url_pattern(path), handler) for path, handler in ROUTES
    ]
    return [*rules, (rf"{API_PREFIX}(?:/.*)?", UnknownHandler)]
