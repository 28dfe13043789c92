"""A language model that any thread may ask: bounded, patient, and honest about failures."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING

from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import (
    Failure,
    Finish,
    LanguageModel,
    ModelAbout,
    ModelAnswer,
    ModelRequest,
)
from jupyter_ppo.tutor.breaker import Breaker
from jupyter_ppo.tutor.failures import INSTALL, failed, not_set_up
from jupyter_ppo.tutor.loop import LoopThread
from jupyter_ppo.tutor.retrying import repeated
from jupyter_ppo.tutor.setup import ModelSetup

if TYPE_CHECKING:
    from jupyter_ppo.tutor.wire import Said, Wire

#: What the two wire formats are spoken with; the ``llm`` extra has it.
_LIBRARIES = {"openai": ("pydantic_ai", "openai"), "anthropic": ("pydantic_ai", "anthropic")}

#: The name of the thread that loads them.
LOADING = "jupyter-ppo-llm-load"
#: So long after ``warm_up`` the libraries are loaded, in seconds: what starts now goes first.
_WARM_UP_SECONDS = 3.0
#: How often a listener is asked whether it is still there, in seconds.
_LISTENING_SECONDS = 1.0


def why_not(setup: ModelSetup) -> str:
    """Return why this model cannot be asked on this machine, with the remedy; "" if it can."""
    if any(importlib.util.find_spec(name) is None for name in _LIBRARIES[setup.provider]):
        return f"The libraries that speak to language models are not installed. Use {INSTALL}."
    if setup.lacks_key:
        return "There is no key. Set JUPYTER_PPO_LLM_API_KEY in the server's environment."
    return ""


def open_model(setup: ModelSetup, breaker: Breaker | None = None) -> LanguageModel:
    """Return the model; nothing is imported and nothing sent before it is asked."""
    return HttpModel(setup, breaker or Breaker())


class HttpModel:
    """A model at the other end of HTTP; ``LanguageModel`` says what its methods promise."""

    def __init__(self, setup: ModelSetup, breaker: Breaker) -> None:
        self._setup = setup
        self._breaker = breaker
        self._loop = LoopThread("jupyter-ppo-llm")
        self._lock = threading.Lock()
        self._wire: Wire | None = None
        self._places: asyncio.Semaphore | None = None
        # Whether requests carry the schema; None until it is known whether the model takes one.
        self._by_schema: bool | None = {"schema": True, "prompt": False}.get(setup.structured)
        self._warming: threading.Timer | None = None

    def __repr__(self) -> str:
        """Say which model it is, and nothing secret."""
        return f"HttpModel({self._setup!r})"

    @property
    def about(self) -> ModelAbout:
        """Which one it is."""
        return self._setup.about

    def warm_up(self, wait: float = _WARM_UP_SECONDS) -> None:
        """Load the libraries in a thread of its own, ``wait`` seconds from now; twice is harmless.

        That takes seconds, which the first student would wait for otherwise.
        """
        with self._lock:
            if self._warming is None and not why_not(self._setup):
                self._warming = threading.Timer(wait, _load)
                self._warming.name, self._warming.daemon = LOADING, True
                self._warming.start()

    def answer(self, request: ModelRequest) -> ModelAnswer:
        """Return the whole answer."""
        return self._result(self._begin(_Asking(self, request, None)))

    def stream(self, request: ModelRequest, on_text: Callable[[str], bool]) -> ModelAnswer:
        """Hand over the text piece by piece, in this thread, then return all of it.

        While nothing comes, "" is handed over about once a second: nobody may listen any more.
        """
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        asking = _Asking(self, request, pieces.put)
        future = self._begin(asking)
        future.add_done_callback(lambda _: pieces.put(None))
        read: list[str] = []
        try:
            while (piece := _next(pieces)) is not None:
                read.append(piece)
                if not on_text(piece):
                    future.cancel()
                    return asking.stopped("".join(read))
        except BaseException:
            future.cancel()
            raise
        return self._result(future)

    def close(self) -> None:
        """End what runs; nothing may be asked afterwards."""
        with self._lock:
            if self._warming is not None:
                self._warming.cancel()
        self._loop.close(self._close_wire)

    async def _close_wire(self) -> None:
        if self._wire is not None:
            await self._wire.close()

    def _result(self, future: Future[ModelAnswer]) -> ModelAnswer:
        try:
            return future.result()
        except CancelledError:
            raise failed(Failure.UNAVAILABLE, self.about, "this server stops") from None

    def _begin(self, asking: _Asking) -> Future[ModelAnswer]:
        if problem := why_not(self._setup):
            raise not_set_up(problem)
        try:
            return self._loop.submit(asking.run)
        except RuntimeError:
            raise failed(Failure.UNAVAILABLE, self.about, "this server stops") from None

    async def send(
        self, request: ModelRequest, on_text: Callable[[str], None] | None, note: Callable[[], None]
    ) -> Said:
        """Send a request once, by the way that this model takes; ``note`` counts what is sent.

        A model that refuses a schema is asked in words, and from then on only so.
        """
        wire, places = self._opened()
        by_schema = self._by_schema
        is_guess = by_schema is None and request.schema is not None
        if by_schema is None:
            by_schema = wire.knows_schemas
            is_guess = is_guess and by_schema

        async def once(*, by_schema: bool) -> Said:
            async with places:
                if wait := self._breaker.wait():
                    raise failed(Failure.CIRCUIT_OPEN, self.about, "nothing was sent", wait)
                note()
                try:
                    said = await wire.ask(request, by_schema=by_schema, on_text=on_text)
                except ModelUnavailableError as error:
                    self._breaker.note(error.failure)
                    raise
                self._breaker.note(None)
                return said

        try:
            said = await once(by_schema=by_schema)
        except ModelUnavailableError as error:
            if not is_guess or error.failure is not Failure.REJECTED:
                raise
            said = await once(by_schema=False)
            # Only now: the first may have been refused for another reason.
            self._by_schema = False
        else:
            if is_guess:
                self._by_schema = True
        return said

    def _opened(self) -> tuple[Wire, asyncio.Semaphore]:
        """Return what requests are sent with; made by the first one, in the loop's thread."""
        with self._lock:
            if self._wire is None or self._places is None:
                try:
                    from jupyter_ppo.tutor.wire import Wire
                except ImportError:
                    msg = f"The libraries for language models cannot be loaded. Use {INSTALL}."
                    raise not_set_up(msg) from None
                self._wire = Wire(self._setup)
                self._places = asyncio.Semaphore(self._setup.concurrency)
            return self._wire, self._places

    @property
    def setup(self) -> ModelSetup:
        """What it is reached by."""
        return self._setup


def _load() -> None:
    """Import what requests are sent with. Whoever asks first is told what is wrong with it."""
    with contextlib.suppress(Exception):
        importlib.import_module("jupyter_ppo.tutor.wire")


def _next(pieces: queue.SimpleQueue[str | None]) -> str | None:
    try:
        return pieces.get(timeout=_LISTENING_SECONDS)
    except queue.Empty:
        return ""


class _Asking:
    """One request from its first try to its answer."""

    def __init__(
        self, model: HttpModel, request: ModelRequest, on_text: Callable[[str], None] | None
    ) -> None:
        self._model = model
        self._request = request
        self._on_text = on_text
        self._tries = 0
        self._was_heard = False
        self._begun = time.monotonic()

    async def run(self) -> ModelAnswer:
        """Ask until there is an answer or no hope."""
        said = await repeated(
            lambda: self._model.send(
                self._request, self._heard if self._on_text else None, self._count
            ),
            self._model.setup.backoff,
            may_repeat=lambda: not self._was_heard,
        )
        return ModelAnswer(
            text=said.text,
            finish=said.finish,
            usage=said.usage,
            model=said.model,
            latency_ms=self._milliseconds(),
            tries=self._tries,
        )

    def stopped(self, text: str) -> ModelAnswer:
        """Return the answer as far as it was read."""
        from jupyter_ppo.tutor.wire import estimated

        return ModelAnswer(
            text=text,
            finish=Finish.STOPPED,
            usage=estimated(self._request, text),
            model=self._model.about.model,
            latency_ms=self._milliseconds(),
            tries=max(self._tries, 1),
        )

    def _heard(self, piece: str) -> None:
        self._was_heard = True
        if self._on_text is not None:
            self._on_text(piece)

    def _count(self) -> None:
        self._tries += 1

    def _milliseconds(self) -> int:
        return round((time.monotonic() - self._begun) * 1000)
