from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.read import MAX_BYTES, MAX_CELLS, MAX_DEPTH, read_notebook
from jupyter_ppo.domain.errors import InvalidNotebookError, PPOError, TooLargeError


def notebook(**changes: Any) -> bytes:
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [], **changes}
    return json.dumps(document).encode()


def one_cell(**changes: Any) -> bytes:
    return notebook(cells=[{"cell_type": "code", "source": "", "metadata": {}, **changes}])


def assert_notebook_or_clear_error(data: bytes) -> None:
    refused: PPOError | None = None
    cells: list[Any] = []
    try:
        cells = read_notebook(data)["cells"]
    except PPOError as error:
        refused = error
    if refused is not None:
        assert refused.field is not None
        assert refused.message.startswith(f"{refused.field}: ")
    assert all(isinstance(cell["source"], str) for cell in cells)


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        (b"", "notebook", ["the file is empty", ".ipynb"]),
        (b" \n", "notebook", ["the file is empty", ".ipynb"]),
        (b"\x89PNG\r\n\x1a\n", "notebook", ["not UTF-8", "byte 0", ".ipynb"]),
        (notebook().decode().encode("utf-16"), "notebook", ["not UTF-8", ".ipynb"]),
        (b"hello", "notebook", ["not a notebook (not JSON). Choose the .ipynb file"]),
        (b'{"cells": [', "notebook", ["no whole notebook", "line 1, column 12", "undamaged"]),
        (b"[1, 2]", "notebook", ["a list and not a notebook"]),
        (b"null", "notebook", ["a null and not a notebook"]),
        (b"3", "notebook", ["a number and not a notebook"]),
        (b"1" * 5000, "notebook", ["cannot be read"]),
        (b"[" * 100_000, "notebook", ["nested more than 100 levels", ".ipynb"]),
        (b'{"a":' * 100_000, "notebook", ["nested more than 100 levels"]),
        (b"{}", "nbformat", ["no format version", ".ipynb"]),
        (notebook(nbformat="4"), "nbformat", ["no format version"]),
        (notebook(nbformat=True), "nbformat", ["no format version"]),
        (notebook(nbformat=3), "nbformat", ["format 3 is too old", "JupyterLab", "converts"]),
        (notebook(nbformat=5), "nbformat", ["newer than format 4"]),
        (notebook(nbformat_minor="x"), "nbformat_minor", ["not a version number"]),
        (notebook(metadata=[]), "metadata", ["not an object"]),
        (notebook(cells={}), "cells", ["no list of cells"]),
        (notebook(cells=[3]), "cells[0]", ["not a cell"]),
        (one_cell(cell_type="heading"), "cells[0].cell_type", ["code, markdown, raw"]),
        (one_cell(cell_type=["code"]), "cells[0].cell_type", ["code, markdown, raw"]),
        (one_cell(source=3), "cells[0].source", ["neither text nor a list"]),
        (one_cell(source=["a", 3]), "cells[0].source", ["neither text nor a list"]),
        (one_cell(source="a\ud800"), "cells[0].source", ["half of a character", "U+D800"]),
        (one_cell(metadata=3), "cells[0].metadata", ["not an object"]),
    ],
)
def test_what_is_no_notebook_is_refused_naming_the_part_and_the_remedy(
    data: bytes, field: str, words: list[str]
) -> None:
    with pytest.raises(InvalidNotebookError) as caught:
        read_notebook(data)
    assert caught.value.field == field
    assert caught.value.message.startswith(f"{field}: ")
    for word in words:
        assert word in caught.value.message
    assert "submit" not in caught.value.message  # whoever releases or collects reads this too


def test_thirty_megabytes_are_refused_with_both_sizes_and_the_remedy() -> None:
    with pytest.raises(TooLargeError) as caught:
        read_notebook(b" " * (30 * 2**20))
    assert caught.value.field == "notebook"
    assert "30.0 MiB" in caught.value.message
    assert "25 MiB" in caught.value.message
    assert "Clear Outputs" in caught.value.message


def test_the_largest_allowed_notebook_is_read() -> None:
    empty = notebook()
    assert read_notebook(empty + b" " * (MAX_BYTES - len(empty)))["cells"] == []


def test_too_many_cells_are_refused_with_the_count() -> None:
    cell = {"cell_type": "raw", "source": "", "metadata": {}}
    assert len(read_notebook(notebook(cells=[cell] * MAX_CELLS))["cells"]) == MAX_CELLS
    with pytest.raises(TooLargeError, match="2001 cells are over the limit of 2000") as caught:
        read_notebook(notebook(cells=[cell] * (MAX_CELLS + 1)))
    assert caught.value.field == "cells"


def test_brackets_inside_strings_do_not_count_as_nesting() -> None:
    source = "[" * 500 + '"{\\"' + "{" * 500
    assert read_notebook(one_cell(source=source))["cells"][0]["source"] == source


def test_nesting_up_to_the_limit_is_read() -> None:
    deep: Any = 0
    for _ in range(MAX_DEPTH - 1):
        deep = [deep]
    assert read_notebook(notebook(extra=deep))["extra"] == deep


def test_lines_of_a_source_become_one_string_and_a_byte_order_mark_is_skipped() -> None:
    read = read_notebook(b"\xef\xbb\xbf" + one_cell(source=["a\n", "b"]))
    assert read["cells"][0]["source"] == "a\nb"


def test_a_cell_without_metadata_gets_an_empty_one() -> None:
    data = json.dumps({"nbformat": 4, "cells": [{"cell_type": "raw", "source": ""}]}).encode()
    read = read_notebook(data)
    assert read["metadata"] == read["cells"][0]["metadata"] == {}


@settings(
    derandomize=True,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=300))
@example(b'"\\"\\"\\"\\')
@example(b'{"nbformat": 4, "cells": NaN}')
def test_any_bytes_give_a_notebook_or_one_of_our_errors(data: bytes) -> None:
    assert_notebook_or_clear_error(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cell_type", "source", "metadata", "cells", "nbgrader"]), inner
        )
    ),
    max_leaves=12,
)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(st.lists(_json, max_size=4), _json, st.just(4) | _json)
def test_any_json_in_a_notebooks_places_gives_a_notebook_or_one_of_our_errors(
    cells: list[Any], metadata: Any, version: Any
) -> None:
    assert_notebook_or_clear_error(notebook(cells=cells, metadata=metadata, nbformat=version))
