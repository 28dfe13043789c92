"""One hub for the tests that leave it as it is, and one of its own for each that breaks it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hub import GRADER, INSTRUCTOR, OTHER, OUTSIDER, STUDENT, Hub

PROXY = Path(__file__).parents[2] / "labextension/node_modules/.bin/configurable-http-proxy"


def _people(hub: Hub) -> None:
    hub.add(INSTRUCTOR, ["course-rl101:instructor"])
    hub.add(GRADER, ["course-rl101:grader"])
    hub.add(STUDENT, ["course-rl101:student"])
    hub.add(OTHER, ["course-rl101:student", "course-rl202:student"])
    hub.add(OUTSIDER)


@pytest.fixture(scope="session")
def start_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Hub]]:
    """Start hubs with people in them; all end with the session."""
    if not PROXY.exists():
        pytest.fail("The hub's proxy is not installed. Run .ci/setup.sh front-end.", pytrace=False)
    started: list[Hub] = []

    def start(**service: Any) -> Hub:
        hub = Hub(tmp_path_factory.mktemp("hub"), **service)
        started.append(hub)
        _people(hub)
        return hub

    yield start
    for hub in started:
        hub.stop()


@pytest.fixture(scope="session")
def hub(start_hub: Callable[..., Hub]) -> Hub:
    """Return the hub that all share."""
    return start_hub()
