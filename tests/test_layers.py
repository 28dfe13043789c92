"""The layers hold, and a line that breaks one is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

PLANTS = {
    "Layers point one way": ("storage/blobs.py", "import jupyter_ppo.web.errors\n"),
    "The domain knows no framework": ("domain/ids.py", "import sqlalchemy\n"),
    "A student's kernel never loads the server": ("training/__init__.py", "import docker\n"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package and of the contracts, to plant violations in."""
    skipped = shutil.ignore_patterns("__pycache__", "labextension", "node_modules")
    shutil.copytree(ROOT / "jupyter_ppo", tmp_path / "jupyter_ppo", ignore=skipped)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(checkout: Path) -> tuple[int, str]:
    """Check the contracts; without a cache, which would be written into the checkout."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_contract_is_kept(checkout: Path) -> None:
    status, output = lint_imports(checkout)
    assert status == 0, output
    assert f"Contracts: {len(PLANTS)} kept, 0 broken." in output


def test_a_planted_violation_breaks_each_contract(checkout: Path) -> None:
    for name, line in PLANTS.values():
        path = checkout / "jupyter_ppo" / name
        path.write_text(path.read_text() + line)
    status, output = lint_imports(checkout)
    assert status == 1, output
    for contract in PLANTS:
        assert f"{contract} BROKEN" in output


def test_a_module_that_no_layer_names_is_found(checkout: Path) -> None:
    (checkout / "jupyter_ppo" / "helpers.py").write_text("")
    status, output = lint_imports(checkout)
    assert status != 0
    assert "helpers" in output
