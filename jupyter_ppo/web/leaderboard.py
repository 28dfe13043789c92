"""The leaderboard of a course: pseudonyms, and what their policies reached."""

from __future__ import annotations

from tornado import web

from jupyter_ppo.services.leaderboard import Leaderboard as LeaderboardView
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted


class LeaderboardQuery(PageQuery):
    """Which part of the leaderboard."""

    assignment: str | None = None
    env_id: str | None = None


class NewPseudonym(Body):
    """The name under which a person wants to be on the leaderboard."""

    pseudonym: str


class LeaderboardMe(Answer):
    """Who the caller is on the leaderboard; null: not on it."""

    pseudonym: str | None


class LeaderboardEntry(Answer):
    """A person's best policy in one environment of one assignment.

    ``rank`` counts among those of the same assignment and environment; equal means share it.
    ``low`` to ``high`` is the 95 % confidence interval of the ``mean`` return. ``own`` marks the
    caller's.
    """

    rank: int
    pseudonym: str
    own: bool
    assignment: str
    env_id: str
    mean: float
    low: float
    high: float
    episodes: int


class Leaderboard(Page[LeaderboardEntry]):
    """Entries by assignment, environment and rank; ``pseudonym`` is the caller's, null: none."""

    pseudonym: str | None

    @classmethod
    def of(cls, view: LeaderboardView) -> Leaderboard:
        """Make the body from the service's answer. Usernames stay behind."""
        items = [
            LeaderboardEntry(
                rank=entry.rank,
                pseudonym=entry.result.pseudonym,
                own=entry in view.own,
                assignment=entry.result.assignment,
                env_id=entry.result.env_id,
                mean=entry.result.mean,
                low=entry.result.low,
                high=entry.result.high,
                episodes=entry.result.episodes,
            )
            for entry in view.page.items
        ]
        return cls(items=items, pseudonym=view.pseudonym, **page_numbers(view.page))


class LeaderboardHandler(PPOHandler):
    """``/courses/{course}/leaderboard``: what the policies of those who joined reached."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Leaderboard, query=LeaderboardQuery)
    async def get(self, course: str) -> None:
        """List the best policies of those who joined, by pseudonym (members)."""
        query = self.query(LeaderboardQuery)
        view = await self.ask(self.use_cases.leaderboards.leaderboard, course, **query.model_dump())
        self.reply(Leaderboard.of(view))


class LeaderboardMeHandler(PPOHandler):
    """``/courses/{course}/leaderboard/me``: the caller's place on it."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(LeaderboardMe, body=NewPseudonym)
    async def put(self, course: str) -> None:
        """Join the leaderboard under a pseudonym, or change it (members)."""
        body = self.json_body(NewPseudonym)
        member = await self.ask(self.use_cases.leaderboards.join, course, body.pseudonym)
        self.reply(LeaderboardMe(pseudonym=member.pseudonym))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(LeaderboardMe)
    async def delete(self, course: str) -> None:
        """Leave the leaderboard: the caller's entries are gone from it at once (members)."""
        await self.ask(self.use_cases.leaderboards.leave, course)
        self.reply(LeaderboardMe(pseudonym=None))


handlers = [
    ("/courses/{course}/leaderboard", LeaderboardHandler),
    ("/courses/{course}/leaderboard/me", LeaderboardMeHandler),
]
