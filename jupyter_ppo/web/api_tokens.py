"""API tokens: one's own, and those for a course."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import api_tokens as domain
from jupyter_ppo.domain.api_tokens import TokenAccess
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.ports import Page as DomainPage
from jupyter_ppo.services.api_tokens import MadeToken
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, Time, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted


class NewApiToken(Body):
    """A token to make: for ``course``, up to ``role`` there, good for ``days``."""

    course: str
    name: str
    role: Role = Role.STUDENT
    access: TokenAccess = TokenAccess.READ
    days: Annotated[int, Field(ge=1, le=domain.MAX_DAYS)] = domain.DEFAULT_DAYS


class Rotation(Body):
    """How long the old token is good beside the new one."""

    overlap_hours: Annotated[float, Field(ge=0, le=domain.MAX_OVERLAP_HOURS)] = (
        domain.DEFAULT_OVERLAP_HOURS
    )


class ApiToken(Answer):
    """A token without its secret; ``uses`` and ``last_used_at`` are up to a minute old."""

    id: UUID
    user: str
    name: str
    course: str
    role: Role
    access: TokenAccess
    created_at: Time
    expires_at: Time
    last_used_at: Time | None
    uses: int
    revoked_at: Time | None
    rotated_from: UUID | None

    @classmethod
    def of(cls, token: domain.ApiToken) -> ApiToken:
        """Make the body from the domain's object."""
        return cls(**{name: getattr(token, name) for name in cls.model_fields})


class MadeApiToken(Answer):
    """A new token; ``secret`` is what is sent, and is shown this once."""

    token: ApiToken
    secret: str

    @classmethod
    def of(cls, made: MadeToken) -> MadeApiToken:
        """Make the body from the service's object."""
        return cls(token=ApiToken.of(made.token), secret=made.secret)


class ApiTokenPage(Page[ApiToken]):
    """Tokens, newest first."""


def _page(page: DomainPage[domain.ApiToken]) -> ApiTokenPage:
    return ApiTokenPage(items=[ApiToken.of(each) for each in page.items], **page_numbers(page))


class MyTokensHandler(PPOHandler):
    """``/me/tokens``: the caller's API tokens."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ApiTokenPage, query=PageQuery)
    async def get(self) -> None:
        """Return the caller's API tokens, newest first, also those that have ended."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.api_tokens.mine, offset=query.offset, limit=query.limit
        )
        self.reply(_page(page))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(MadeApiToken, HTTPStatus.CREATED, body=NewApiToken, same=(HTTPStatus.NOT_FOUND,))
    async def post(self) -> None:
        """Make an API token; its secret is shown this once."""
        new = self.json_body(NewApiToken)
        made = await self.ask(
            self.use_cases.api_tokens.create,
            new.course,
            new.name,
            role=new.role,
            access=new.access,
            days=new.days,
        )
        self.reply(MadeApiToken.of(made), HTTPStatus.CREATED)


class MyTokenHandler(PPOHandler):
    """``/me/tokens/{token_id}``: one of them."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(ApiToken)
    async def delete(self, token_id: str) -> None:
        """Revoke an API token of your own, now and for good."""
        wanted = self.identifier(token_id, "token")
        self.reply(ApiToken.of(await self.ask(self.use_cases.api_tokens.revoke, wanted)))


class RotationHandler(PPOHandler):
    """``/me/tokens/{token_id}/rotate``."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(MadeApiToken, HTTPStatus.CREATED, body=Rotation)
    async def post(self, token_id: str) -> None:
        """Make a token of the same kind; the old one stays good for a while."""
        rotation = self.json_body(Rotation)
        made = await self.ask(
            self.use_cases.api_tokens.rotate,
            self.identifier(token_id, "token"),
            rotation.overlap_hours,
        )
        self.reply(MadeApiToken.of(made), HTTPStatus.CREATED)


class CourseTokensHandler(PPOHandler):
    """``/courses/{course}/tokens``: everybody's API tokens for a course."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ApiTokenPage, query=PageQuery)
    async def get(self, course: str) -> None:
        """Return everybody's API tokens for this course (instructors), newest first."""
        query = self.query(PageQuery)
        page = await self.ask(
            self.use_cases.api_tokens.of_course, course, offset=query.offset, limit=query.limit
        )
        self.reply(_page(page))


class CourseTokenHandler(PPOHandler):
    """``/courses/{course}/tokens/{token_id}``: one of them."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(ApiToken)
    async def delete(self, course: str, token_id: str) -> None:
        """Revoke anybody's API token for this course (instructors)."""
        wanted = self.identifier(token_id, "token")
        use_case = self.use_cases.api_tokens.revoke_in_course
        self.reply(ApiToken.of(await self.ask(use_case, course, wanted)))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/me/tokens", MyTokensHandler),
    ("/me/tokens/{token_id}", MyTokenHandler),
    ("/me/tokens/{token_id}/rotate", RotationHandler),
    ("/courses/{course}/tokens", CourseTokensHandler),
    ("/courses/{course}/tokens/{token_id}", CourseTokenHandler),
]
