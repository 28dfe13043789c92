"""One request to a model over its wire format, by pydantic_ai; never a tool, never a retry.

Importing this module needs the ``llm`` extra; ``model.py`` does it when a model is first asked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import openai
from pydantic_ai import exceptions
from pydantic_ai.direct import model_request, model_request_stream
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.messages import ModelRequest as Prompt
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings

from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import Failure, Finish, ModelRequest, Usage
from jupyter_ppo.tutor.failures import failed, failed_status
from jupyter_ppo.tutor.setup import ModelSetup

_CONNECT_SECONDS = 10.0
_FINISHES = {"stop": Finish.STOP, "length": Finish.LENGTH, "content_filter": Finish.REFUSAL}
#: Bytes of one token where a service does not count them: on the safe side for prose and code.
_BYTES_PER_TOKEN = 3
_SCHEMA = (
    "Answer with one JSON object and nothing else: no words around it, no code fence. It follows "
    "this JSON Schema:"
)


@dataclass(frozen=True, slots=True)
class Said:
    """What came back."""

    text: str
    finish: Finish
    usage: Usage
    model: str


class Wire:
    """A model behind one of the two formats. Use it from one event loop only."""

    def __init__(self, setup: ModelSetup) -> None:
        self._setup = setup
        # Without redirects: nobody sends students' words, or a key, to where a service points.
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(setup.timeout, connect=min(_CONNECT_SECONDS, setup.timeout)),
            limits=httpx2.Limits(max_connections=max(setup.concurrency, 1)),
            follow_redirects=False,
        )
        make = _anthropic_model if setup.provider == "anthropic" else _openai_model
        self._model: Model[Any] = make(setup, self._http)

    @property
    def knows_schemas(self) -> bool:
        """Whether this model is known to take a schema."""
        return bool(self._model.profile.get("supports_json_schema_output"))

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def ask(
        self, request: ModelRequest, *, by_schema: bool, on_text: Callable[[str], None] | None
    ) -> Said:
        """Send one request; with ``on_text`` as a stream whose pieces are handed over.

        ``by_schema``: the format carries the schema; otherwise words ask for it. Raises
        ``ModelUnavailableError``, with none of what the service wrote in its message.
        """
        messages, parameters = _messages(request, by_schema), _parameters(request, by_schema)
        settings = ModelSettings(
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            timeout=self._setup.timeout,
            extra_headers={"X-Client-Request-Id": request.request_id},
            framing_announcement="never",
        )
        try:
            async with asyncio.timeout(self._setup.timeout):
                if on_text is None:
                    response = await model_request(
                        self._model,
                        messages,
                        model_settings=settings,
                        model_request_parameters=parameters,
                        instrument=False,
                    )
                else:
                    response = await self._stream(messages, settings, parameters, on_text)
        except Exception as error:
            # Without its cause: that has the headers of the request, and so the key.
            raise _failure(error, self._setup) from None
        return _said(response, request, self._setup, is_stream=on_text is not None)

    async def _stream(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings,
        parameters: ModelRequestParameters,
        on_text: Callable[[str], None],
    ) -> ModelResponse:
        async with model_request_stream(
            self._model,
            messages,
            model_settings=settings,
            model_request_parameters=parameters,
            instrument=False,
        ) as stream:
            async for event in stream:
                if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                    piece = event.part.content
                elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                    piece = event.delta.content_delta
                else:
                    continue
                if piece:
                    on_text(piece)
            return stream.get()


def estimated(request: ModelRequest, text: str) -> Usage:
    """Return about what a request and its answer cost, in tokens, where nobody counted."""
    schema = json.dumps(request.schema) if request.schema is not None else ""
    sent = len(f"{request.system}{request.user}{schema}".encode())
    return Usage(
        input=-(-sent // _BYTES_PER_TOKEN),
        output=min(-(-len(text.encode()) // _BYTES_PER_TOKEN), request.max_tokens),
        is_estimated=True,
    )


def _messages(request: ModelRequest, by_schema: bool) -> list[ModelMessage]:
    system = request.system
    if request.schema is not None and not by_schema:
        system = f"{system}\n\n{_SCHEMA}\n{json.dumps(request.schema, ensure_ascii=False)}"
    return [Prompt(parts=[SystemPromptPart(system), UserPromptPart(request.user)])]


def _parameters(request: ModelRequest, by_schema: bool) -> ModelRequestParameters:
    if request.schema is None or not by_schema:
        return ModelRequestParameters()
    wanted = OutputObjectDefinition(
        json_schema=dict(request.schema), name=request.schema_name, strict=True
    )
    return ModelRequestParameters(output_mode="native", output_object=wanted)


def _openai_model(setup: ModelSetup, http: httpx2.AsyncClient) -> Model[Any]:
    client = openai.AsyncOpenAI(
        # The client insists on some key; a service without keys does not look at it.
        api_key=setup.key or "none",
        base_url=setup.url,
        max_retries=0,
        http_client=http,
    )
    host = setup.about.host
    is_own = host == "api.openai.com" or host.endswith(".azure.com")
    provider = (
        OpenAIProvider(openai_client=client)
        if is_own
        else OpenAICompatibleProvider("openai-compatible", openai_client=client)
    )
    # The newer name of this field is OpenAI's own; everybody else knows the older one.
    profile = OpenAIModelProfile(
        supports_json_schema_output=True, openai_chat_supports_max_completion_tokens=is_own
    )
    return OpenAIChatModel(setup.model, provider=provider, profile=profile)


def _anthropic_model(setup: ModelSetup, http: httpx2.AsyncClient) -> Model[Any]:
    client = anthropic.AsyncAnthropic(
        api_key=setup.key, base_url=setup.url, max_retries=0, http_client=http
    )
    profile = ModelProfile(supports_json_schema_output=True)
    return AnthropicModel(
        setup.model,
        provider=AnthropicProvider(anthropic_client=client),
        profile=profile if setup.structured == "schema" else None,
    )


def _said(
    response: ModelResponse, request: ModelRequest, setup: ModelSetup, *, is_stream: bool
) -> Said:
    details = response.provider_details or {}
    text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    refusal = details.get("refusal")
    finish = _FINISHES.get(response.finish_reason or "stop", Finish.OTHER)
    if isinstance(refusal, str):
        text, finish = refusal, Finish.REFUSAL
    elif is_stream and "finish_reason" not in details:
        raise failed(Failure.UNAVAILABLE, setup.about, "its answer broke off")
    if not text and finish is Finish.STOP:
        raise failed(Failure.UNREADABLE, setup.about, "its answer is empty")
    counted = response.usage
    # Zero for what certainly had tokens: the service did not count.
    if not counted.input_tokens or (text and not counted.output_tokens):
        usage = estimated(request, text)
    else:
        cached = min(counted.cache_read_tokens, counted.input_tokens)
        usage = Usage(counted.input_tokens, counted.output_tokens, cached)
    return Said(text, finish, usage, response.model_name or setup.model)


def _failure(error: Exception, setup: ModelSetup) -> ModelUnavailableError:
    about = setup.about
    if isinstance(error, ModelUnavailableError):
        return error
    if isinstance(error, exceptions.ModelHTTPError):
        code = error.provider_error_code or error.provider_error_type or ""
        is_spent = isinstance(error, exceptions.ModelQuotaExceededError)
        if setup.key and setup.key in code:
            code = ""
        return failed_status(
            error.status_code, about, code, retry_after=error.retry_after, is_spent=is_spent
        )
    if isinstance(
        error,
        TimeoutError
        | exceptions.ModelTimeoutError
        | exceptions.ModelRequestTimeout
        | httpx2.TimeoutException,
    ):
        seconds = f"no answer within {setup.timeout:g} s"
        return failed(Failure.TIMEOUT, about, seconds)
    if isinstance(
        error,
        exceptions.ModelConnectionError
        | exceptions.ModelServerError
        | exceptions.ModelUnavailableError
        | httpx2.TransportError
        | openai.APIConnectionError
        | anthropic.APIConnectionError,
    ):
        return failed(Failure.UNAVAILABLE, about, "no connection, or one that broke")
    if isinstance(error, exceptions.ModelRateLimitError):
        return failed(Failure.RATE_LIMITED, about, "too many requests", error.retry_after)
    kind = type(error).__name__
    return failed(Failure.UNREADABLE, about, f"its answer cannot be read ({kind})")
