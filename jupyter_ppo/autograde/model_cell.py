"""The one answer of an assignment that a saved model may stand for."""

from __future__ import annotations

import ast
import base64
from collections.abc import Iterator
from typing import Any

from jupyter_ppo.autograde.cells import grade_id_of, is_answer
from jupyter_ppo.autograde.saved_model import SavedModel
from jupyter_ppo.autograde.sealing.names import names_of
from jupyter_ppo.autograde.sealing.ownership import is_import
from jupyter_ppo.autograde.sealing.python_text import parsed, python_of, unwrapped
from jupyter_ppo.domain.errors import InvalidNotebookError

#: The tag (``metadata.tags``) of the answer cell.
MODEL_TAG = "saved-model"
_LINE = 1000
_CODE = """\
_SAVED_MODEL = '''
{data}
'''


def _load_saved_model():
    import base64
    import pathlib

    from stable_baselines3 import PPO

    path = pathlib.Path("model.zip")
    path.write_bytes(base64.b64decode(_SAVED_MODEL))
    return PPO.load(path, device="cpu")


{name} = _load_saved_model()
"""


def is_model_cell(cell: dict[str, Any]) -> bool:
    """Whether the author gave the cell the tag ``saved-model``."""
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return isinstance(tags, list) and MODEL_TAG in tags


def model_grade_id(notebook: dict[str, Any]) -> str | None:
    """Return the grade_id of the answer cell that takes a saved model; None if there is none.

    ``notebook`` is the author's or the students' copy: both have the tag.
    """
    found = (cell for cell in notebook["cells"] if is_model_cell(cell) and is_answer(cell))
    return next(map(grade_id_of, found), None)


def refuse_model_cells(source: dict[str, Any]) -> None:
    """Raise ``InvalidNotebookError`` if a tag ``saved-model`` makes no sense where it is.

    It belongs on one answer cell in code that binds a name.
    """
    marked = [index for index, cell in enumerate(source["cells"]) if is_model_cell(cell)]
    for index in marked:
        cell, field = source["cells"][index], f"cells[{index}]"
        problem = ""
        if index != marked[0]:
            problem = f"cells[{marked[0]}] has the tag {MODEL_TAG!r} already; leave it on one."
        elif not is_answer(cell) or cell["cell_type"] != "code":
            problem = f"the tag {MODEL_TAG!r} belongs on an answer cell in code; remove it here."
        elif model_name(cell["source"]) is None:
            problem = (
                f"a cell with the tag {MODEL_TAG!r} must bind the policy to a name; end its "
                "solution with 'policy = ...'."
            )
        if problem:
            msg = f"{field}: {problem}"
            raise InvalidNotebookError(msg, field=field)


def model_name(source: str) -> str | None:
    """Return the last name that the author's cell binds, imports apart; None if there is none."""
    tree = parsed(python_of(unwrapped(source)))
    for node in reversed(tree.body if tree is not None else []):
        bound = frozenset() if is_import(node) else names_of(node).bound
        found = [(line, column, name) for line, column, name in _bindings(node) if name in bound]
        if found:
            return max(found)[-1]
    return None


def _bindings(node: ast.AST) -> Iterator[tuple[int, int, str]]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.lineno, part.col_offset, part.id
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield part.lineno, part.col_offset, part.name


def model_code(model: SavedModel, author_source: str) -> str:
    """Return the cell that is run in the place of the answer, in the student's container only.

    ``author_source`` is the author's answer, whose last name it binds. Raises
    ``InvalidNotebookError`` when that binds none.
    """
    name = model_name(author_source)
    if name is None:
        msg = "notebook: the cell for the saved model binds no name. Release the assignment anew."
        raise InvalidNotebookError(msg, field="notebook")
    text = base64.b64encode(model.data).decode("ascii")
    lines = (text[start : start + _LINE] for start in range(0, len(text), _LINE))
    return _CODE.format(data="\n".join(lines), name=name)
