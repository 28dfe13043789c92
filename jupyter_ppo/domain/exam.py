"""An exam: which code of a notebook runs with us, which names are the student's, what came of it.

The student's cells run in their container, the test cells in the examiner's. In a test cell a name
that only the student's cells define is a proxy to the student's kernel; docs/sealed.md tells how.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CheckState(StrEnum):
    """How a test cell ended in the examiner. Only PASSED may give points.

    With checks of their own points in it, a FAILED cell gives those of its lines that passed.
    """

    PASSED = "passed"
    FAILED = "failed"  # an error in the test: mostly an assertion
    TIMEOUT = "timeout"  # the time of the check was used up
    BORDER = "border"  # what came from the student's kernel cannot be used, or is too much
    NOT_RUN = "not_run"  # the student's kernel or the examiner was gone


@dataclass(frozen=True, slots=True)
class ExamCell:
    """A cell as the examiner runs it.

    ``index`` is the cell's place in the notebook that the student's kernel runs; None for a cell of
    the author's that is not in it, which is run before the next one that is. ``code`` holds the
    statements that are the examiner's, as Python without magics. ``pushed`` names those of the
    student's names that an assignment in this cell sets in the student's kernel too. ``contract``
    lists the uses of the border in this cell that need an allowance, as the run on the reference
    solution made them.
    """

    index: int | None
    code: str
    is_test: bool = False
    pushed: tuple[str, ...] = ()
    contract: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Exam:
    """What the examiner gets to know of one submission. Nothing of it reaches the student.

    ``student_names`` are the names that live in the student's kernel, by the author's notebook
    alone. ``is_recording`` notes the uses of the border that need an allowance instead of refusing
    those that no contract has: for the run on the reference solution. ``sources`` has the submitted
    text of functions and classes by name, for ``inspect.getsource``. ``modules`` are what the
    author's notebook imports. Exams with the same ``key`` are of the same version: one container
    may serve them, each with a process of its own.
    """

    cells: tuple[ExamCell, ...]
    student_names: frozenset[str]
    is_recording: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    modules: frozenset[str] = frozenset()
    key: str = ""

    @property
    def tests(self) -> frozenset[int]:
        """Indices of the cells that the examiner runs and the student's kernel never sees."""
        return frozenset(
            cell.index for cell in self.cells if cell.is_test and cell.index is not None
        )


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One of several checks in a test cell, with points and a message of its own."""

    name: str
    points: float
    max_points: float
    message: str = ""

    @property
    def is_passed(self) -> bool:
        """Whether it gave all its points."""
        return self.points >= self.max_points


@dataclass(frozen=True, slots=True)
class CheckRun:
    """What came of one test cell.

    ``value`` is the text of the last expression's value if it has one (nbgrader's partial credit).
    Of an error, ``line`` is the line of the cell (from 1) and ``is_message`` says that the text is
    the author's own, of an assertion. ``uses`` is what a recording exam noted. ``mutations`` names
    arguments that the student's code changed; ``notes`` has sentences on what came from it and is
    not what it looks like (a subclass of a plain type). ``records`` is what the test
    wrote down for people (an examined policy's returns).
    """

    index: int
    state: CheckState
    value: str | None = None
    error_type: str = ""
    error_message: str = ""
    line: int | None = None
    is_message: bool = False
    output: str = ""
    lines: tuple[CheckLine, ...] = ()
    uses: frozenset[str] = frozenset()
    mutations: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    records: tuple[Mapping[str, Any], ...] = ()
    calls: int = 0
    seconds: float = 0.0
