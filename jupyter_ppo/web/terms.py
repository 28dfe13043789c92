"""Terms and extensions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field
from tornado import web

from jupyter_ppo.domain import terms as domain
from jupyter_ppo.domain.terms import MAX_REASON, Counting, GradeRelease, LateRule
from jupyter_ppo.services.terms import TermsView
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Body, Page, PageQuery, Time, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted

_PATH = "/courses/{course}/assignments/{assignment}"


class NewLateStep(Body):
    """From ``after_seconds`` late on, ``keep_percent`` of the points are kept."""

    after_seconds: int
    keep_percent: float


class NewLate(Body):
    """What being late costs; ``steps`` are for the rule ``custom``."""

    rule: LateRule
    percent_per_day: float = 10.0
    at_least_percent: float = 0.0
    steps: Annotated[list[NewLateStep], Field(default_factory=list)]


class NewTerms(Body):
    """The whole terms; ``revision`` is the one that was seen. A time is null for no bound."""

    opens_at: AwareDatetime | None
    due_at: AwareDatetime | None
    closes_at: AwareDatetime | None
    grace_seconds: int
    late: NewLate
    max_attempts: int
    counting: Counting
    autograde: bool
    grades: GradeRelease
    revision: Annotated[int, Field(ge=0)]

    def terms(self) -> domain.Terms:
        """Return the domain's object; the service checks it."""
        late = domain.LatePolicy(
            self.late.rule,
            self.late.percent_per_day,
            self.late.at_least_percent,
            tuple(
                domain.LateStep(step.after_seconds, step.keep_percent) for step in self.late.steps
            ),
        )
        return domain.Terms(
            opens_at=self.opens_at,
            due_at=self.due_at,
            closes_at=self.closes_at,
            grace_seconds=self.grace_seconds,
            late=late,
            max_attempts=self.max_attempts,
            counting=self.counting,
            autograde=self.autograde,
            grades=self.grades,
            revision=self.revision,
        )


class NewExtension(Body):
    """More time (seconds) or attempts for one user or one group."""

    user: str | None = None
    group: str | None = None
    seconds: int = 0
    attempts: int = 0
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""


class ExtensionsQuery(PageQuery):
    """Which extensions; those that were taken back only with ``revoked``."""

    revoked: bool = False


class LateStep(Answer):
    """From ``after_seconds`` late on, ``keep_percent`` of the points are kept."""

    after_seconds: int
    keep_percent: float


class Late(Answer):
    """What being late costs."""

    rule: LateRule
    percent_per_day: float
    at_least_percent: float
    steps: list[LateStep]


class OwnTerms(Answer):
    """The terms as they are for the caller, with their extensions; null is no bound."""

    due_at: Time | None
    closes_at: Time | None
    max_attempts: int
    attempts_used: int
    attempts_left: int | None
    is_open: bool


class Terms(Answer):
    """The terms of an assignment; ``max_attempts`` 0 is any number."""

    opens_at: Time | None
    due_at: Time | None
    closes_at: Time | None
    grace_seconds: int
    late: Late
    max_attempts: int
    counting: Counting
    autograde: bool
    grades: GradeRelease
    revision: int
    own: OwnTerms

    @classmethod
    def of(cls, view: TermsView) -> Terms:
        """Make the body from the service's answer."""
        terms, own = view.terms, view.own
        return cls(
            opens_at=terms.opens_at,
            due_at=terms.due_at,
            closes_at=terms.closes_at,
            grace_seconds=terms.grace_seconds,
            late=Late(
                rule=terms.late.rule,
                percent_per_day=terms.late.percent_per_day,
                at_least_percent=terms.late.at_least_percent,
                steps=[
                    LateStep(after_seconds=step.after_seconds, keep_percent=step.keep_percent)
                    for step in terms.late.steps
                ],
            ),
            max_attempts=terms.max_attempts,
            counting=terms.counting,
            autograde=terms.autograde,
            grades=terms.grades,
            revision=terms.revision,
            own=OwnTerms(
                due_at=own.terms.due_at,
                closes_at=own.terms.closes_at,
                max_attempts=own.terms.max_attempts,
                attempts_used=own.attempts_used,
                attempts_left=own.attempts_left,
                is_open=own.is_open(view.now),
            ),
        )


class Extension(Answer):
    """More time or attempts for one user or one group; ``revoked_at`` says when it was taken back.

    The extensions of a person and of their groups add up.
    """

    id: UUID
    user: str | None
    group: str | None
    seconds: int
    attempts: int
    reason: str
    created_by: str
    created_at: Time
    revoked_at: Time | None

    @classmethod
    def of(cls, extension: domain.Extension) -> Extension:
        """Make the body from the domain's object."""
        return cls(**{name: getattr(extension, name) for name in cls.model_fields})


class ExtensionPage(Page[Extension]):
    """Extensions, newest first."""


class TermsHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/terms``: when it may be handed in."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Terms)
    async def get(self, course: str, assignment: str) -> None:
        """Return the terms, and those of the caller (members; students once it is open)."""
        self.reply(Terms.of(await self.ask(self.use_cases.terms.terms, course, assignment)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Terms, body=NewTerms)
    async def put(self, course: str, assignment: str) -> None:
        """Replace the terms; what is handed in already is judged by them, too (instructors)."""
        terms = self.json_body(NewTerms).terms()
        view = await self.ask(self.use_cases.terms.set_terms, course, assignment, terms)
        self.reply(Terms.of(view))


class ExtensionsHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/extensions``: who has more time."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ExtensionPage, query=ExtensionsQuery)
    async def get(self, course: str, assignment: str) -> None:
        """List the extensions, newest first (graders)."""
        query = self.query(ExtensionsQuery)
        page = await self.ask(
            self.use_cases.terms.extensions, course, assignment, **query.model_dump()
        )
        items = [Extension.of(each) for each in page.items]
        self.reply(ExtensionPage(items=items, **page_numbers(page)))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Extension, HTTPStatus.CREATED, body=NewExtension)
    async def post(self, course: str, assignment: str) -> None:
        """Give one user or one group more time or attempts, on top of others (instructors)."""
        body = self.json_body(NewExtension)
        more = domain.MoreTime(**body.model_dump())
        made = await self.ask(self.use_cases.terms.extend, course, assignment, more)
        location = f"/courses/{course}/assignments/{assignment}/extensions/{made.id}"
        self.reply(Extension.of(made), HTTPStatus.CREATED, location=location)


class ExtensionHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/extensions/{extension_id}``: one extension."""

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Extension)
    async def delete(self, course: str, assignment: str, extension_id: str) -> None:
        """Take an extension back; it is kept as revoked (instructors)."""
        extension = self.identifier(extension_id, "extension")
        revoked = await self.ask(self.use_cases.terms.revoke, course, assignment, extension)
        self.reply(Extension.of(revoked))


handlers: list[tuple[str, type[PPOHandler]]] = [
    (f"{_PATH}/terms", TermsHandler),
    (f"{_PATH}/extensions", ExtensionsHandler),
    (f"{_PATH}/extensions/{{extension_id}}", ExtensionHandler),
]
