"""Achievements of a course, its rules of them, and signed records."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from jupyter_ppo.web.achievement_models import (
    Achievements,
    NewRules,
    PublicKey,
    PublicKeys,
    Rules,
    RulesSet,
)
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted

_PATH = "/courses/{course}/achievements"


class AchievementsHandler(PPOHandler):
    """``/courses/{course}/achievements``: what the caller has and can reach."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Achievements)
    async def get(self, course: str) -> None:
        """List the caller's achievements, earned ones and those that can be (members)."""
        found = await self.ask(self.use_cases.achievements.own, course)
        self.reply(Achievements.of(found))


class StudentAchievementsHandler(PPOHandler):
    """``/courses/{course}/achievements/students/{user}``: what one person has."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Achievements)
    async def get(self, course: str, user: str) -> None:
        """List the achievements of a person of the course, as they see them (graders)."""
        found = await self.ask(self.use_cases.achievements.of_student, course, user)
        self.reply(Achievements.of(found))


class AchievementRulesHandler(PPOHandler):
    """``/courses/{course}/achievements/rules``: what achievements are given for."""

    #: 200 rules, each with many checks.
    max_json_bytes: ClassVar[int] = 2**20

    @web.authenticated
    @permitted(Action.READ)
    @answers(Rules)
    async def get(self, course: str) -> None:
        """Return the rules that are in force (instructors)."""
        self.reply(Rules.of(await self.ask(self.use_cases.achievements.rules, course)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(RulesSet, body=NewRules)
    async def put(self, course: str) -> None:
        """Put new rules in force and evaluate everybody by them at once (instructors).

        Who has an achievement keeps it under the rule that it was earned under. With ``number``,
        409 (``edit_conflict``, with both) when another edition is in force.
        """
        body = self.json_body(NewRules)
        rules = body.to_domain()
        change = await self.ask(self.use_cases.achievements.set_rules, course, rules, body.number)
        self.reply(RulesSet.of(change))


class CredentialHandler(PPOHandler):
    """``/achievements/{award_id}/credential``: the signed record of an achievement."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.VC_JWT)
    async def get(self, award_id: str) -> None:
        """Download an achievement as an Open Badges 3.0 credential (its person, graders).

        It is a JWT that anyone can verify without this server; 409 when it was revoked.
        """
        award = self.identifier(award_id, "award")
        signed = await self.ask(self.use_cases.credentials.credential, award)
        self.reply_bytes(signed.token.encode(), MediaType.VC_JWT, filename=signed.filename)


class AchievementKeysHandler(PPOHandler):
    """``/achievements/keys``: what credentials of this server are verified with."""

    @allow_unauthenticated
    @answers(PublicKeys)
    async def get(self) -> None:
        """Return the public keys that sign credentials, as a JWK set (anyone)."""
        loop = asyncio.get_running_loop()
        keys = await loop.run_in_executor(self.context.threads, self.use_cases.credentials.keys)
        self.reply(PublicKeys(keys=[PublicKey(**key) for key in keys]))


handlers: list[tuple[str, type[PPOHandler]]] = [
    (_PATH, AchievementsHandler),
    (f"{_PATH}/rules", AchievementRulesHandler),
    (f"{_PATH}/students/{{user}}", StudentAchievementsHandler),
    ("/achievements/keys", AchievementKeysHandler),
    ("/achievements/{award_id}/credential", CredentialHandler),
]
