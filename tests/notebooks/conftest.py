"""What the documentation is made with, and how strong our checks are, is in ``benchmarks``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

Benchmark = Callable[[str], ModuleType]


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Benchmark]:
    """Return what imports a module of ``benchmarks`` by its name, for one file of tests."""
    sys.path.insert(0, str(BENCHMARKS))
    before = set(sys.modules)
    yield importlib.import_module
    sys.path.remove(str(BENCHMARKS))
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").parent == BENCHMARKS:
            del sys.modules[name]
