"""Models on both wires, whose service is the test server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from llm_asking import KEY, QUICK, WIRES, Open
from llm_server import LlmServer

from jupyter_ppo.domain.tutoring import LanguageModel
from jupyter_ppo.tutor.breaker import Breaker
from jupyter_ppo.tutor.model import open_model
from jupyter_ppo.tutor.setup import ModelSetup


@pytest.fixture(params=WIRES)
def wire(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def opened(wire: str, llm_server: LlmServer) -> Iterator[Open]:
    models: list[LanguageModel] = []

    def make(breaker: Breaker | None = None, **changes: Any) -> LanguageModel:
        url = llm_server.openai_url if wire == "openai" else llm_server.anthropic_url
        name = "test-model" if wire == "openai" else "claude-haiku-4-5"
        first = {"provider": wire, "model": name, "key": KEY, "base_url": url, "backoff": QUICK}
        models.append(open_model(ModelSetup(**{**first, "timeout": 20.0, **changes}), breaker))
        return models[-1]

    yield make
    for each in models:
        each.close()
