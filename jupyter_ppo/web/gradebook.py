"""The gradebook of a class: pages, exports, and exchange with nbgrader."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain import gradebook
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import AssignmentKind, CellKind
from jupyter_ppo.domain.errors import TooLargeError
from jupyter_ppo.domain.gradebook import CellState, GradebookQuery, Order, RowFilter, SortKey
from jupyter_ppo.web.base import MAX_BODY_BYTES, PPOHandler
from jupyter_ppo.web.models import Answer, Page, PageQuery, Time, page_numbers
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted


class GradebookFormat(StrEnum):
    """How the gradebook is sent."""

    JSON = "json"
    CSV = "csv"


class GradebookPageQuery(PageQuery):
    """Which rows of the gradebook, in which order; a CSV file always holds all of them.

    With ``assignment`` the columns are its exercises. ``search`` holds words of the username and
    the names. ``sort`` is ``user``, ``name``, ``total``, ``late`` or the name of a column.
    """

    assignment: str | None = None
    search: Annotated[str, Field(max_length=200)] = ""
    group: str | None = None
    state: RowFilter | None = None
    sort: Annotated[str, Field(max_length=200)] = SortKey.USER.value
    order: Order = Order.ASCENDING
    format: GradebookFormat = GradebookFormat.JSON

    def rows(self) -> GradebookQuery:
        """Return the domain's object."""
        return GradebookQuery(
            self.assignment, self.search, self.group, self.state, self.sort, self.order
        )


class GradebookColumn(Answer):
    """An assignment, or an exercise of one, with the points of its newest version."""

    name: str
    kind: AssignmentKind | CellKind
    max_points: float
    due_at: Time | None


class GradebookCell(Answer):
    """What one student has in one column; points are null until graded.

    ``points`` have ``extra_credit`` in them and ``penalty`` off them.
    """

    submission_id: UUID | None
    state: CellState
    points: float | None
    max_points: float | None
    penalty: float
    extra_credit: float
    late_seconds: int
    attempts: int
    needs_review: bool
    unsealed_points: float
    released: bool


class GradebookRow(Answer):
    """A student; ``cells`` has one of each column, by its name."""

    user: str
    first_name: str
    last_name: str
    groups: list[str]
    total: float
    max_total: float
    cells: dict[str, GradebookCell]


class Gradebook(Page[GradebookRow]):
    """A page of the gradebook and the columns of all pages."""

    columns: list[GradebookColumn]

    @classmethod
    def of(cls, found: gradebook.Gradebook) -> Gradebook:
        """Make the body from the domain's object."""
        return cls(
            columns=[
                GradebookColumn(
                    name=each.name, kind=each.kind, max_points=each.max_points, due_at=each.due_at
                )
                for each in found.columns
            ],
            items=[_row(each) for each in found.page.items],
            **page_numbers(found.page),
        )


class NbgraderImport(Answer):
    """How much of nbgrader's gradebook came in; ``warnings`` say what was left out, and why."""

    students: int
    assignments: int
    submissions: int
    grades: int
    warnings: list[str]


def _row(row: gradebook.GradebookRow) -> GradebookRow:
    cells = {
        name: GradebookCell(
            submission_id=cell.submission_id,
            state=cell.state,
            points=cell.points,
            max_points=cell.max_points,
            penalty=cell.penalty,
            extra_credit=cell.extra_credit,
            late_seconds=cell.late_seconds,
            attempts=cell.attempts,
            needs_review=cell.needs_review,
            unsealed_points=cell.unsealed_points,
            released=cell.is_released,
        )
        for name, cell in row.cells.items()
    }
    return GradebookRow(
        user=row.user,
        first_name=row.first_name,
        last_name=row.last_name,
        groups=list(row.groups),
        total=row.total,
        max_total=row.max_total,
        cells=cells,
    )


class GradebookHandler(PPOHandler):
    """``/courses/{course}/gradebook``: what every student has."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(Gradebook, query=GradebookPageQuery, also=MediaType.CSV)
    async def get(self, course: str) -> None:
        """Return a page of the gradebook, or with ``format=csv`` all of it (graders)."""
        query = self.query(GradebookPageQuery)
        rows, service = query.rows(), self.use_cases.gradebook
        if query.format is GradebookFormat.JSON:
            numbers = {"offset": query.offset, "limit": query.limit}

            def page(caller: Caller) -> str:
                # A page has a thousand cells and more: they are put into words in the thread too.
                return Gradebook.of(service.page(caller, course, rows, **numbers)).model_dump_json()

            self.finish(await self.ask(page))
            return
        pieces = await self.ask(service.csv, course, rows)
        self.set_header("Content-Type", f"{MediaType.CSV}; charset=utf-8")
        self.set_attachment_header(f"{course}-{query.assignment or 'gradebook'}.csv")
        for piece in pieces:
            self.write(piece)
            await self.flush()
        self.finish(set_content_type=f"{MediaType.CSV}; charset=utf-8")


class NbgraderGradebookHandler(PPOHandler):
    """``/courses/{course}/gradebook/nbgrader``: nbgrader's ``gradebook.db``, out and in."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.SQLITE)
    async def get(self, course: str) -> None:
        """Download the class as an nbgrader ``gradebook.db`` (instructors)."""
        data = await self.ask(self.use_cases.gradebook.to_nbgrader, course)
        self.reply_bytes(data, MediaType.SQLITE, filename=f"{course}-gradebook.db")

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(NbgraderImport, body=MediaType.BYTES)
    async def post(self, course: str) -> None:
        """Add what an nbgrader ``gradebook.db`` holds; what exists is kept (instructors)."""
        try:
            data = self.notebook_body()
        except TooLargeError as error:
            limit = MAX_BODY_BYTES // 2**20
            msg = (
                f"gradebook: it is over {limit} MiB. Import it on the server's command line: "
                "jupyter ppo gradebook from-nbgrader."
            )
            raise TooLargeError(msg, field="gradebook") from error
        report = await self.ask(self.use_cases.gradebook.from_nbgrader, course, data)
        self.reply(
            NbgraderImport(
                students=report.students,
                assignments=report.assignments,
                submissions=report.submissions,
                grades=report.grades,
                warnings=list(report.warnings),
            )
        )


handlers = [
    ("/courses/{course}/gradebook", GradebookHandler),
    ("/courses/{course}/gradebook/nbgrader", NbgraderGradebookHandler),
]
