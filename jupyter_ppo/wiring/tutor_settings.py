"""Settings of language models, and the one gate to them."""

from __future__ import annotations

import os
from typing import Any

from traitlets import Dict, Enum, Float, Integer, TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.ports import Clock
from jupyter_ppo.domain.tutoring import PICO, Caps, LanguageModel, Price
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.storage.course_names import CourseNames
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.tutor.model import open_model, why_not
from jupyter_ppo.tutor.retrying import Backoff
from jupyter_ppo.tutor.setup import STRUCTURED, ModelSetup, check_url

#: Where the key may be in the environment; the first is ours alone.
KEY_VARIABLE = "JUPYTER_PPO_LLM_API_KEY"
_OTHERS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_MAX_PRICE = 1_000_000.0


class TutorSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about language models; without a provider: none."""

    llm_provider = Enum(
        ["", "openai", "anthropic"],
        default_value="",
        help="""What language models are asked with. ``openai``: any service that speaks its format,
        at ``llm_base_url``. Default: none, and nothing is ever sent. See docs/models.md.""",
    ).tag(config=True)

    llm_base_url = Unicode(
        "",
        help="""The service's address, such as ``http://localhost:11434/v1``; without a key in it.
        Default: the provider's own.""",
    ).tag(config=True)

    llm_model = Unicode("", help="""The name that the service has for the model.""").tag(
        config=True
    )

    llm_api_key = Unicode(
        "",
        help="""The key of the service. Better in the environment variable
        ``JUPYTER_PPO_LLM_API_KEY``, which a server takes out of the environment of its kernels.""",
    ).tag(config=True)

    llm_structured = Enum(
        list(STRUCTURED),
        default_value="auto",
        help="""How a model is told the form of a draft: ``schema`` by the format, ``prompt`` in
        words, ``auto`` by the format until the service refuses it.""",
    ).tag(config=True)

    llm_timeout_seconds = Float(
        60.0, min=1, max=3600, help="""Seconds that one request to a model may take."""
    ).tag(config=True)

    llm_concurrency = Integer(
        4, min=1, max=64, help="""Requests to a model that are under way at the same time."""
    ).tag(config=True)

    llm_tries = Integer(
        4,
        min=1,
        max=10,
        help="""Times that a request is sent when the service is busy or down, with growing pauses
        in between.""",
    ).tag(config=True)

    llm_prices = Dict(
        help="""Prices for a million tokens by model, such as ``{"gpt-x": {"input": 0.4,
        "cached_input": 0.1, "output": 1.6}}``. A model without a price costs nothing here, and no
        cap holds for it.""",
    ).tag(config=True)

    llm_currency = Unicode("USD", help="""The currency of prices and caps, as it is shown.""").tag(
        config=True
    )

    llm_course_cap = Float(
        20.0, min=0, max=_MAX_PRICE, help="""The most that a course may ever spend on models."""
    ).tag(config=True)

    llm_assignment_cap = Float(
        5.0, min=0, max=_MAX_PRICE, help="""The most that may be spent on one assignment."""
    ).tag(config=True)

    llm_user_day_cap = Float(
        0.5, min=0, max=_MAX_PRICE, help="""The most that one person may spend in a day (UTC)."""
    ).tag(config=True)

    llm_keep_days = Integer(
        180,
        min=1,
        help="""Days for which the texts of calls to a model are kept; their counts and costs stay
        after that.""",
    ).tag(config=True)

    llm_max_answer_characters = Integer(
        20_000,
        min=100,
        max=1_000_000,
        help="""The longest answer of a student that a model is asked about, in characters: for
        drafts, hints and explanations.""",
    ).tag(config=True)

    @validate("llm_base_url")
    def _check_base_url(self, proposal: Any) -> str:
        url: str = proposal["value"]
        try:
            check_url(url)
        except InvalidInputError as error:
            msg = f"llm_{error.message}"
            raise TraitError(msg) from None
        return url

    @validate("llm_prices")
    def _check_prices(self, proposal: Any) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        for model, price in value.items():
            _price(model, price)
        return value

    def build_model_calls(self, database: Database, clock: Clock) -> ModelCalls:
        """Return the gate; nothing is loaded and nothing sent before somebody asks."""
        model, problem = self._model()
        return ModelCalls(
            model=model,
            problem=problem,
            calls=ModelCallLog(database),
            settings=FeedbackSettingsTable(database),
            names=CourseNames(database),
            ceilings=self.ceilings,
            clock=clock,
            keep_days=self.llm_keep_days,
            max_characters=self.llm_max_answer_characters,
        )

    @property
    def ceilings(self) -> Caps:
        """The most that may be spent, whatever a course chose, in picodollars."""
        return Caps(
            user_day=round(self.llm_user_day_cap * PICO),
            assignment=round(self.llm_assignment_cap * PICO),
            course=round(self.llm_course_cap * PICO),
        )

    def hide_key(self) -> None:
        """Take the key out of this process's environment, which kernels inherit."""
        os.environ.pop(KEY_VARIABLE, None)

    def _model(self) -> tuple[LanguageModel | None, str]:
        """Return the model, or None and why there is none."""
        if not self.llm_provider:
            return None, ""
        price = self.llm_prices.get(self.llm_model)
        try:
            setup = ModelSetup(
                provider=self.llm_provider,
                model=self.llm_model,
                key=self._key(),
                base_url=self.llm_base_url,
                structured=self.llm_structured,
                timeout=self.llm_timeout_seconds,
                concurrency=self.llm_concurrency,
                price=None if price is None else _price(self.llm_model, price),
                backoff=Backoff(tries=self.llm_tries),
            )
        except InvalidInputError as error:
            problem = f"llm_{error.message}"
        else:
            problem = why_not(setup)
            if not problem:
                return open_model(setup), ""
        self.log.error("jupyter_ppo asks no language model: %s", problem)
        return None, problem

    def _key(self) -> str:
        key: str = self.llm_api_key or os.environ.get(KEY_VARIABLE, "")
        # The provider's own variable is for the provider alone: no other service gets that key.
        if not key and not self.llm_base_url:
            key = os.environ.get(_OTHERS[self.llm_provider], "")
        return key.strip()


def _price(model: str, price: object) -> Price:
    """Return a price; raise ``TraitError`` naming what cannot be used."""
    names = ("input", "output", "cached_input")
    msg = (
        f'llm_prices: {model!r} has no usable price. Use {{"input": 0.4, "output": 1.6}}, in '
        'money for a million tokens; "cached_input" may be there as well.'
    )
    if not isinstance(price, dict) or not {"input", "output"} <= price.keys() <= set(names):
        raise TraitError(msg)
    for value in price.values():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= _MAX_PRICE:
            raise TraitError(msg)
    return Price(**price)
