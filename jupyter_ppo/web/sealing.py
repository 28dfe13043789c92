"""Which test cells of an assignment are sealed, and what their author should look at."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from tornado import web

from jupyter_ppo.domain import sealing as domain
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.sealing import FindingKind, SealState
from jupyter_ppo.services.assessment import Released
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.models import Answer, Assignment, Time
from jupyter_ppo.web.operations import Action, answers, permitted


class Finding(Answer):
    """Something in a test cell to look at; ``line`` counts from 1, ``text`` says the remedy."""

    line: int
    kind: FindingKind
    text: str


class TestCell(Answer):
    """What is known of one test cell; ``reason`` says why it is not sealed, else it is empty."""

    __test__ = False  # its name must not make pytest collect it

    grade_id: str
    state: SealState
    reason: str
    findings: list[Finding]

    @classmethod
    def all_of(cls, cells: Iterable[domain.CellSealing]) -> list[TestCell]:
        """Make the bodies from the domain's objects."""
        return [
            cls(
                grade_id=cell.grade_id,
                state=cell.state,
                reason=cell.reason,
                findings=[
                    Finding(line=each.line, kind=each.kind, text=each.text)
                    for each in cell.findings
                ],
            )
            for cell in cells
        ]


class Release(Assignment):
    """A released version; ``tests`` says what can be known of its test cells without a run."""

    tests: list[TestCell]

    @classmethod
    def made(cls, released: Released) -> Release:
        """Make the body from the service's answer."""
        assignment = Assignment.of(released.assignment)
        fields = {name: getattr(assignment, name) for name in Assignment.model_fields}
        return cls(**fields, tests=TestCell.all_of(released.cells))


class Sealing(Answer):
    """What the run on the reference solution showed of the newest version.

    ``contract`` lists the uses of students' objects that its tests need beyond the plain ones.
    """

    created_at: Time
    wall_seconds: float
    tests: list[TestCell]
    contract: list[str]

    @classmethod
    def of(cls, sealing: domain.Sealing) -> Sealing:
        """Make the body from the domain's object."""
        return cls(
            created_at=sealing.created_at,
            wall_seconds=sealing.wall_seconds,
            tests=TestCell.all_of(sealing.cells),
            contract=sorted(sealing.contract),
        )


class SealingHandler(PPOHandler):
    """``/courses/{course}/assignments/{assignment}/sealing``: what is known of its tests."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Sealing)
    async def get(self, course: str, assignment: str) -> None:
        """Return what the reference solution's run showed; 404 before there was one (graders)."""
        found = await self.ask(self.use_cases.sealings.sealing, course, assignment)
        if found is None:
            msg = (
                "The reference solution of this version was not run yet. Send POST to this "
                "address, or grade a submission."
            )
            raise NotFoundError(msg, field="sealing")
        self.reply(Sealing.of(found))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(Sealing, HTTPStatus.OK)
    async def post(self, course: str, assignment: str) -> None:
        """Run the reference solution now and return what it shows (instructors)."""
        made = await self.ask(self.use_cases.sealings.calibrate, course, assignment)
        self.reply(Sealing.of(made))


handlers = [("/courses/{course}/assignments/{assignment}/sealing", SealingHandler)]
