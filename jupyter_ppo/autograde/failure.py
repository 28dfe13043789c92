"""Where a test cell failed, and why a cell did not run: what reasons and the page say of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from jupyter_ppo.autograde.cells import has_hidden_tests, numbered_hidden_lines
from jupyter_ppo.autograde.text import visible
from jupyter_ppo.domain.sandbox import NotebookRun, Verdict

# A frame of the cell itself as IPython shows it; a function's frame goes on with "in NAME(...)".
_FRAME = re.compile(r"^ *Cell In\[\d+\], line (\d+)$", re.MULTILINE)
#: The longest traceback that is looked at, in characters; IPython's are far shorter.
_TRACE_MAX = 200_000
_LIMITS = re.compile(r" \(limits? [a-z_, ]+\)")
_IN_CELL = re.compile(r"\bin cell \d+")
_CELL = re.compile(r"^Cell \d+ ")


def failed_hidden(source: str, output: dict[str, Any]) -> bool:
    """Whether the error in ``output`` came from a hidden line of the test cell ``source``.

    The kernel says which line it was, so a student can make this wrong, to no gain of theirs: only
    words hang on it. False when no line is known.
    """
    trace = output.get("traceback")
    lines = [line for line in trace if isinstance(line, str)] if isinstance(trace, list) else []
    found = _FRAME.search(visible("\n".join(lines)[:_TRACE_MAX]))
    return (
        found is not None and len(found[1]) < 9 and int(found[1]) in numbered_hidden_lines(source)
    )


def ran_hidden(cell: dict[str, Any], outputs: Sequence[dict[str, Any]]) -> bool:
    """Whether hidden tests of a cell that ran to its end were run, not only those before them."""
    if not has_hidden_tests(cell):
        return False
    errors = [output for output in outputs if output.get("output_type") == "error"]
    return all(failed_hidden(cell["source"], error) for error in errors)


def why_not_finished(run: NotebookRun, index: int) -> str:
    """Return one sentence for a cell (index in the notebook) that the kernel did not finish.

    The cell that was cut short is told apart from those after it. Names of settings are left out:
    this is for students.
    """
    detail = _LIMITS.sub("", run.detail)
    if run.verdict is Verdict.RAN:
        return "Not run: the kernel gave no answer for this cell."
    if not detail:
        return f"Not run: the run ended early ({run.verdict})."
    if index == _cut_short(run):
        if run.verdict is Verdict.CELL_TIMEOUT:
            return f"Did not finish: {_CELL.sub('it ', detail)}"
        return f"Did not finish: {_IN_CELL.sub('in this cell', detail)}"
    if run.verdict is Verdict.CELL_TIMEOUT:
        earlier = _CELL.sub("an earlier cell ", detail)
        return f"Not run, because {earlier}" if earlier != detail else f"Not run: {detail}"
    return f"Not run: {_IN_CELL.sub('in an earlier cell', detail)}"


def _cut_short(run: NotebookRun) -> int | None:
    """Return the cell that was running when the run ended; one that had not begun took 0 s."""
    begun = (cell.index for cell in run.cells if not cell.finished and cell.seconds > 0)
    return min(begun, default=None)
