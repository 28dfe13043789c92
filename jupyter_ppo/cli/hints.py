"""``jupyter ppo hint``."""

from __future__ import annotations

import argparse
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, kind_of, text_of
from jupyter_ppo.autograde.read import read_notebook
from jupyter_ppo.cli.app import Commands, Context, read_file
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.courses import CellKind
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.hint_ladder import FailingCheck
from jupyter_ppo.services.tutor_questions import said_by


def add_commands(commands: Commands) -> None:
    """Add this module's command to the parser."""
    hint = commands.add_parser("hint", help="your next hint for an exercise, and who wrote it")
    hint.add_argument("course")
    hint.add_argument("assignment")
    hint.add_argument("grade_id", help="the name of the answer cell, such as compute_gae")
    hint.add_argument(
        "--notebook", help="your notebook: the hint is about its answer and what fails in it"
    )
    hint.set_defaults(run=_hint)


def _hint(arguments: argparse.Namespace, context: Context) -> int:
    answer, failing = "", None
    if arguments.notebook is not None:
        notebook = read_notebook(read_file(arguments.notebook))
        answer, failing = attempt_in(notebook, arguments.grade_id)
    hints = context.service.use_cases.hints
    given = hints.ask(
        context.caller,
        arguments.course,
        arguments.assignment,
        arguments.grade_id,
        answer,
        failing,
    )
    new = given.hint.new
    again = ", as before" if given.is_again else ""
    print(f"Hint {new.level.number} ({new.level}{again})\n")
    print(visible(new.text))
    print(f"\n{said_by(new.source, new.model, hints.about)}")
    if given.note:
        print(visible(given.note))
    if new.cost_fraction:
        print(f"It takes {new.cost_fraction:.0%} of this exercise's points.")
    return 0


def attempt_in(notebook: dict[str, Any], grade_id: str) -> tuple[str, FailingCheck | None]:
    """Return the answer in a notebook, and the first check after it whose output is an error.

    Raises ``NotFoundError`` when the notebook has no such answer.
    """
    cells = notebook["cells"]
    at = next((i for i, cell in enumerate(cells) if grade_id_of(cell) == grade_id), None)
    if at is None:
        msg = f"grade_id: no cell of this notebook is called {grade_id[:80]!r}."
        raise NotFoundError(msg, field="grade_id")
    answer = cells[at]["source"]
    for cell in cells[at:]:
        if cell is not cells[at] and kind_of(cell) is CellKind.SOLUTION:
            break
        for output in cell.get("outputs", []):
            if isinstance(output, dict) and output.get("output_type") == "error":
                return answer, FailingCheck(
                    check=grade_id_of(cell) or "",
                    error_type=text_of(output.get("ename"))[:200],
                    message=text_of(output.get("evalue"))[:4_000],
                    traceback="\n".join(_lines(output.get("traceback")))[:20_000],
                )
    return answer, None


def _lines(value: object) -> list[str]:
    return [line for line in value if isinstance(line, str)] if isinstance(value, list) else []
