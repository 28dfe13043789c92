"""How tests ask a model: one request, and what a failure must be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import Failure, LanguageModel, ModelRequest
from jupyter_ppo.tutor.retrying import Backoff

KEY = "sk-very-secret-0123456789"
WIRES = ("openai", "anthropic")
QUICK = Backoff(tries=3, first=0.001, longest=0.002)
ANSWER = "The ratio is clipped so that one update cannot move the policy far. Größe 学生 🙂"
Open = Callable[..., LanguageModel]


def request(**changes: Any) -> ModelRequest:
    user = "What a student wrote:\n" + json.dumps({"answer": ANSWER}, ensure_ascii=False)
    first = {"request_id": "call-1", "system": "You judge.", "user": user}
    return ModelRequest(**{**first, "max_tokens": 400, "temperature": 0.2, **changes})


@contextmanager
def fails(failure: Failure) -> Iterator[None]:
    with pytest.raises(ModelUnavailableError) as caught:
        yield
    assert caught.value.failure is failure
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None
