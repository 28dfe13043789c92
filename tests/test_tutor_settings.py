"""Settings of language models: what cannot be used is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from traitlets import TraitError

from jupyter_ppo.domain.tutoring import PICO
from jupyter_ppo.wiring import PPOService

KEY = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    "price",
    [
        {"input": 1},
        {"input": 1, "output": -1},
        {"input": True, "output": 1},
        {"input": 1, "output": float("nan")},
        {"input": 1, "output": 1, "image": 1},
        "1",
        None,
    ],
)
def test_a_price_that_cannot_be_used_is_named_with_its_model(price: Any) -> None:
    with pytest.raises(TraitError, match="llm_prices: 'm' has no usable price"):
        PPOService(llm_prices={"m": price})


def test_prices_may_be_of_any_size_and_of_many_models() -> None:
    prices = {"m": {"input": 0, "output": 0.01}, "n": {"input": 1, "output": 2, "cached_input": 0}}
    assert PPOService(llm_prices=prices).llm_prices == prices


@pytest.mark.parametrize("url", [f"https://{KEY}@host/v1", f"https://host/v1?key={KEY}", "host"])
def test_an_address_that_cannot_be_used_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(TraitError, match="llm_base_url") as caught:
        PPOService(llm_base_url=url)
    assert KEY not in str(caught.value)


def test_ceilings_are_whole_picodollars() -> None:
    settings = PPOService(llm_user_day_cap=0.1, llm_assignment_cap=2, llm_course_cap=0)
    ceilings = settings.ceilings
    assert (ceilings.user_day, ceilings.assignment, ceilings.course) == (PICO // 10, 2 * PICO, 0)
