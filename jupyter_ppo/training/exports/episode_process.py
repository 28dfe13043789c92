"""The process that plays an episode, seen from outside: start it, follow it, end it. No torch."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast

from jupyter_ppo.domain.errors import PPOError, UnavailableError
from jupyter_ppo.training.exports.episode import (
    ActionKind,
    Ending,
    Episode,
    EpisodeInfo,
    EpisodeRequest,
    Moment,
)
from jupyter_ppo.training.exports.episode_records import Phase, RecordReader, Said, SilentError

if TYPE_CHECKING:
    from jupyter_ppo.training.run import Run

_WORKER: Final = (
    sys.executable,
    "-X",
    "faulthandler",
    "-m",
    "jupyter_ppo.training.exports.episode_worker",
)
#: Loading torch takes seconds, on a busy machine many.
_LOADING_SECONDS: Final = 180.0
#: An episode with pictures is made in less; the kernel is free meanwhile.
_LONGEST_SECONDS: Final = 900.0
#: How often a wish to end is looked at.
_LOOK_SECONDS: Final = 0.2
_LOG_BYTES: Final = 16 * 1024


class CancelledError(Exception):
    """The episode was ended from outside."""


@dataclass(frozen=True, slots=True)
class EpisodeListener:
    """Is told what comes, as it comes. ``begin`` may come again: then everything begins anew."""

    begin: Callable[[EpisodeInfo], None] = lambda _: None
    moment: Callable[[Moment], None] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False


class _NotDrawnError(Exception):
    """The process died or was silent while a picture was made."""


def play_episode(
    run: Run, request: EpisodeRequest, listener: EpisodeListener | None = None
) -> Episode:
    """Play an episode in a process of its own; where drawing kills it, again without pictures.

    Raises what ``record_episode`` says, and ``CancelledError`` when the listener wants the end.
    """
    listener = listener or EpisodeListener()
    try:
        return _play(run, request, listener, "")
    except _NotDrawnError as error:
        return _play(run, replace(request, pictures=False), listener, str(error))


def _play(run: Run, request: EpisodeRequest, listener: EpisodeListener, why: str) -> Episode:
    with tempfile.TemporaryFile() as log:
        process = _start(run, request, why, log)
        try:
            return _Following(run, process, listener, log).episode()
        finally:
            _end(process)


def _start(run: Run, request: EpisodeRequest, why: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    asked = json.dumps({**asdict(request), "why_no_pictures": why})
    try:
        return subprocess.Popen(
            [*_WORKER, str(run.directory), asked],
            stdin=subprocess.PIPE,  # never written to: its end says that we are gone
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # interrupting a cell must not end it half way
            env=_environment(run.spec.torch_threads),
        )
    except OSError as error:
        msg = f"The process that plays episodes cannot be started ({error.strerror or error})."
        raise UnavailableError(msg) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        # With all that the environment may have started.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _environment(threads: int) -> dict[str, str]:
    """Return the variables of the process: few threads, and pictures without a screen."""
    found = dict(os.environ)
    found.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    found.update(PYGAME_HIDE_SUPPORT_PROMPT="1", SDL_AUDIODRIVER="dummy")
    found.setdefault("SDL_VIDEODRIVER", "dummy")
    root = Path(__file__).resolve().parents[3]
    if root.name not in {"site-packages", "dist-packages"}:  # a source tree: found as we found it
        known = found.get("PYTHONPATH")
        found["PYTHONPATH"] = f"{root}{os.pathsep}{known}" if known else str(root)
    return found


class EpisodeBuilder:
    """Puts an episode together from its records, and tells the listener."""

    def __init__(self, listener: EpisodeListener | None = None) -> None:
        self._listener = listener or EpisodeListener()
        self._info: EpisodeInfo | None = None
        self._moments: list[Moment] = []
        self._warnings: list[str] = []
        self.phase = Phase.LOADING

    @property
    def steps(self) -> int:
        """Steps that have come."""
        return len(self._moments)

    def take(self, head: Mapping[str, Any], payload: bytes) -> Episode | None:
        """Take a record; return the episode with its last one, raise what a failure says."""
        match head.get("said"):
            case Said.WORKING:
                self.phase = Phase(head["phase"])
            case Said.BEGIN:
                self._info = _info(head)
                self._listener.begin(self._info)
            case Said.MOMENT:
                moment = _moment(head, payload)
                self._moments.append(moment)
                self._listener.moment(moment)
            case Said.WARNING:
                self._warnings.append(str(head["message"]))
            case Said.FAILED:
                raise _error(head)
            case Said.END if self._info is not None:
                moments, warnings = tuple(self._moments), tuple(self._warnings)
                return Episode(self._info, moments, Ending(head["ending"]), payload, warnings)
        return None


class _Following:
    """One process from its first record to its last."""

    def __init__(
        self,
        run: Run,
        process: subprocess.Popen[bytes],
        listener: EpisodeListener,
        log: IO[bytes],
    ) -> None:
        self._process = process
        self._listener = listener
        self._log = log
        self._patience = float(run.spec.step_timeout)
        self._builder = EpisodeBuilder(listener)

    def episode(self) -> Episode:
        """Follow it to the end."""
        reader = RecordReader(cast(IO[bytes], self._process.stdout).fileno())
        deadline = time.monotonic() + _LONGEST_SECONDS
        while True:
            record = self._next(reader, deadline)
            if record is None:
                raise self._died()
            episode = self._builder.take(*record)
            if episode is not None:
                return episode

    def _next(self, reader: RecordReader, deadline: float) -> tuple[dict[str, Any], bytes] | None:
        patience = _LOADING_SECONDS if self._builder.phase is Phase.LOADING else self._patience
        silent_at = time.monotonic() + patience
        while True:
            if self._listener.is_cancelled():
                raise CancelledError
            try:
                return reader.read(_LOOK_SECONDS)
            except SilentError:
                now = time.monotonic()
            if now >= deadline:
                msg = (
                    f"The episode took longer than {_LONGEST_SECONDS:.0f} seconds and was ended "
                    f"at step {self._builder.steps}. Play fewer steps: max_steps."
                )
                raise UnavailableError(msg)
            if now >= silent_at:
                raise self._unanswered(patience)

    def _unanswered(self, seconds: float) -> Exception:
        if self._builder.phase is Phase.DRAW:
            return _NotDrawnError(
                f"render() of the environment did not answer for {seconds:.0f} seconds, so the "
                "episode is shown without pictures."
            )
        what = "The policy was not loaded within"
        if self._builder.phase is Phase.STEP:
            what = f"The environment did not answer at step {self._builder.steps} for"
        return UnavailableError(f"{what} {seconds:.0f} seconds, so the episode was ended.")

    def _died(self) -> Exception:
        status = self._process.wait()
        how = f"ended with status {status}"
        if status < 0:
            with contextlib.suppress(ValueError):
                how = f"was killed ({signal.Signals(-status).name})"
        if self._builder.phase is Phase.DRAW:
            return _NotDrawnError(
                f"render() of the environment crashed: its process {how}. The episode is shown "
                "without pictures."
            )
        last = self._last_line()
        said = f" It said: {last}" if last else ""
        where = "while the policy was loaded"
        if self._builder.phase is Phase.STEP:
            where = f"at step {self._builder.steps}"
        return UnavailableError(f"The process that played the episode {how} {where}.{said}")

    def _last_line(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(size - _LOG_BYTES, 0))
        lines = self._log.read().decode(errors="replace").split("\n")
        found = [line.strip() for line in lines if line.strip()]
        return found[-1][:300] if found else ""


def _info(head: Mapping[str, Any]) -> EpisodeInfo:
    values = _tuples(head["info"])
    values["action_kind"] = ActionKind(values["action_kind"])
    return EpisodeInfo(**values)


def _moment(head: Mapping[str, Any], payload: bytes) -> Moment:
    return Moment(picture=payload, **_tuples(head["moment"]))


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}


def _error(head: Mapping[str, Any]) -> PPOError:
    kinds: dict[str, type[PPOError]] = {}
    waiting: list[type[PPOError]] = [PPOError]
    while waiting:
        kind = waiting.pop()
        kinds[kind.__name__] = kind
        waiting += kind.__subclasses__()
    kind = kinds.get(str(head.get("error")), UnavailableError)
    try:
        return kind(str(head["message"]), field=head.get("field"))
    except TypeError:  # one that needs more than a message
        return UnavailableError(str(head["message"]), field=head.get("field"))
