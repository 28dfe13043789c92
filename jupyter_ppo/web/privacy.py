"""A person's data: what is kept, the export, and erasing it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID

from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_ppo.domain import privacy
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Time
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted


class Kept(Answer):
    """One kind of what is kept."""

    what: str
    where: str
    how_long: str
    why: str
    who: str


class Privacy(Answer):
    """What is kept of people, and the bounds that this server has."""

    activity_days: int
    execute_history_days: float
    kept: list[Kept]

    @classmethod
    def of(cls, notice: privacy.PrivacyNotice) -> Privacy:
        """Make the body from the domain's object."""
        return cls(
            activity_days=notice.retention.activity_days,
            execute_history_days=notice.retention.execute_history_days,
            kept=[
                Kept(
                    what=each.what,
                    where=each.where,
                    how_long=each.how_long,
                    why=each.why,
                    who=each.who,
                )
                for each in notice.kept
            ],
        )


class NewErasure(Body):
    """``confirm`` is the username once more."""

    confirm: str


class Erasure(Answer):
    """That somebody was erased; nothing in it leads to who it was.

    ``waiting`` files are removed by the next daily clean-up.
    """

    id: UUID
    stand_in: str
    erased_at: Time
    erased_by: str
    counts: dict[str, int]
    waiting: int

    @classmethod
    def of(cls, erasure: privacy.Erasure) -> Erasure:
        """Make the body from the domain's object."""
        return cls(
            id=erasure.id,
            stand_in=erasure.stand_in,
            erased_at=erasure.erased_at,
            erased_by=erasure.erased_by,
            counts=dict(erasure.counts),
            waiting=erasure.waiting,
        )


class PrivacyHandler(PPOHandler):
    """``/privacy``: what is kept."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Privacy)
    async def get(self) -> None:
        """Say what is kept of people, where, for how long, why, and who sees it."""
        self.reply(Privacy.of(await self.ask(self.use_cases.privacy.notice)))


class _DataHandler(PPOHandler):
    """Sends an archive while it is made."""

    async def _send(self, pieces: Iterator[bytes], filename: str) -> None:
        # The first piece is made before anything is sent: what fails then gets a proper answer.
        piece = await self._next(pieces)
        self.set_attachment_header(filename)
        self.set_header("Content-Type", MediaType.ZIP.value)
        try:
            while piece is not None:
                self.write(piece)
                await self.flush()
                piece = await self._next(pieces)
        except StreamClosedError:
            self.log.debug("The download of an export was broken off.")
            return
        self.finish(set_content_type=MediaType.ZIP.value)

    async def _next(self, pieces: Iterator[bytes]) -> bytes | None:
        return await asyncio.wrap_future(self.context.threads.submit(next, pieces, None))


class MyDataHandler(_DataHandler):
    """``/me/data``: everything about the caller."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.ZIP)
    async def get(self) -> None:
        """Download everything that is kept of you, with a page that explains each file."""
        await self._send(await self.ask(self.use_cases.privacy.my_data), "my-data.zip")


class PersonDataHandler(_DataHandler):
    """``/people/{user}/data``: everything about somebody."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.ZIP)
    async def get(self, user: str) -> None:
        """Download what one person would get as their own data (admins)."""
        await self._send(await self.ask(self.use_cases.privacy.data_of, user), "data.zip")


class EraseHandler(PPOHandler):
    """``/people/{user}/erase``: erasing somebody."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Erasure, body=NewErasure)
    async def post(self, user: str) -> None:
        """Erase a person for good; points stay under a stand-in name (admins)."""
        body = self.json_body(NewErasure)
        erased = await self.ask(self.use_cases.privacy.erase, user, body.confirm)
        self.reply(Erasure.of(erased))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/privacy", PrivacyHandler),
    ("/me/data", MyDataHandler),
    ("/people/{user}/data", PersonDataHandler),
    ("/people/{user}/erase", EraseHandler),
]
