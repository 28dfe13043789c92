"""Follows one run in its container, until it has ended and the folder says how."""

from __future__ import annotations

import logging
import math
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError, PPOError
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.sandbox.agent_wire import LostError, StreamEndedError, event_of
from jupyter_ppo.sandbox.frames import Channel, Frame
from jupyter_ppo.sandbox.run_intake import RunIntake, RunTooLargeError
from jupyter_ppo.sandbox.training_box import TrainingBox
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import NO_ROOM, LineReader

#: How often commands are looked for, in seconds.
_LOOK_SECONDS: Final = 0.1
#: How long a worker may live on after it has said how the run ended, in seconds.
_LINGER_SECONDS: Final = 30.0
#: How long the last files of a worker that was killed may take, in seconds.
_LAST_FILES_SECONDS: Final = 30.0
#: An agent says something every second; this long without a word it has hung, in seconds.
_SILENT_SECONDS: Final = 120.0
#: What one run may send, in bytes per second, and how much at once. More waits in the container.
_RATE: Final = 4 * 2**20
_BURST: Final = 64 * 2**20
#: Reading a line costs this many times what a byte of a checkpoint does.
_LINE_COST: Final = 16
_LONGEST_PAUSE: Final = 0.5
#: Commands that wait for the agent, in bytes, above which no more are read.
_WAITING: Final = 2**20
_REMOVE_SECONDS: Final = 90.0

_log = logging.getLogger(__name__)


class TrainingFollower:
    """A run in its container (``PlacedRun``). Its thread is the only one that uses the box."""

    def __init__(
        self, box: TrainingBox, files: RunDirectory, intake: RunIntake, commands: LineReader
    ) -> None:
        self._box = box
        self._files = files
        self._intake = intake
        self._commands = commands
        self._lock = ExitStack()
        self._thread = threading.Thread(target=self._run, name="jupyter-ppo-training", daemon=True)
        self._ended = threading.Event()
        self._cpu_seconds = 0.0
        #: When to have asked the worker to end, and when to have killed it; set by ``end``.
        self._is_to_end = False
        self._is_asked = False
        self._kill_at: float | None = None
        self._give_up_at: float | None = None
        self._said_end_at: float | None = None
        self._heard_at = time.monotonic()
        self._allowed = float(_BURST)
        self._allowed_at = time.monotonic()

    def start(self, lock: ExitStack) -> None:
        """Begin to follow; ``lock`` holds the run's lock and is closed at the end."""
        self._lock = lock
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether the worker is at the run, or its last files are on their way."""
        return not self._ended.is_set()

    @property
    def cpu_seconds(self) -> float:
        """Processor time of the container since the worker was started, in seconds."""
        return self._cpu_seconds

    def end(self, seconds: float) -> None:
        """Let the worker write a checkpoint and end; kill it after ``seconds``.

        Returns when nothing more comes of it and the folder says how the run ended.
        """
        self._kill_at = time.monotonic() + seconds
        self._is_to_end = True
        if not self._ended.wait(seconds + _LAST_FILES_SECONDS + _LOOK_SECONDS):
            self._box.end()
            self._ended.wait(_LAST_FILES_SECONDS)

    def close(self) -> None:
        """Kill the container if it is still there, and wait until it is removed."""
        if not self._ended.is_set():
            self._box.end()
        self._thread.join(_REMOVE_SECONDS)

    def _run(self) -> None:
        try:
            try:
                self._follow()
            finally:
                try:
                    self._intake.close()
                finally:
                    self._lock.close()
        except Exception:
            _log.exception("A training run could not be followed to its end")
        finally:
            self._ended.set()
            try:
                self._box.close()
            except PPOError as error:
                _log.warning(
                    "A training's container was perhaps not removed yet: %s", error.message
                )

    def _follow(self) -> None:
        """Carry in both directions until the worker has ended, and write how it did."""
        try:
            while True:
                now = time.monotonic()
                self._steer(now)
                self._pass_commands()
                frame = self._box.turn(now + _LOOK_SECONDS)
                while frame is not None:
                    event = self._take(frame)
                    if event is not None:
                        self._intake.write_end(self._how(event))
                        return
                    self._wait_for_allowance()
                    frame = self._box.turn(0)
        except RunTooLargeError:
            self._fail("The run wrote more than its folder may hold and was ended.")
        except LostError as error:
            self._intake.write_end(self._how_lost(error))
        except OSError as error:
            if error.errno not in NO_ROOM:
                self._fail(f"The run's folder cannot be written to ({error.strerror or error}).")
                raise
            self._fail("The disk is full, so the run was ended. Free some space and resume it.")

    def _take(self, frame: Frame) -> dict[str, Any] | None:
        """Take a frame; return the agent's word on the end, if it is that."""
        self._heard_at = time.monotonic()
        match frame.channel:
            case Channel.RUN:
                is_lines = frame.parts[:1] == (b"lines",)
                self._allowed -= frame.size * (_LINE_COST if is_lines else 1)
                self._intake.take(frame.parts)
            case Channel.STDOUT if len(frame.parts) == 1:
                self._allowed -= frame.size
                self._intake.take_output(frame.parts[0])
            case Channel.META:
                event = event_of(frame)
                cpu = event.get("cpu")
                if isinstance(cpu, int | float) and math.isfinite(cpu):
                    self._cpu_seconds = max(self._cpu_seconds, float(cpu))
                if event.get("event") == "done":
                    return event
            case _:
                msg = f"a frame on {frame.channel.name}, which training runs have not"
                raise LostError(msg)
        return None

    def _steer(self, now: float) -> None:
        """Ask the worker to end, kill it, or give the container up, when it is time to."""
        status = self._intake.status
        if status is not None and status.state.has_ended:
            if self._said_end_at is None:
                self._said_end_at = now
            elif self._kill_at is None and now > self._said_end_at + _LINGER_SECONDS:
                self._kill_at = now
        else:
            self._said_end_at = None
        if self._is_to_end and not self._is_asked:
            self._is_asked = True
            self._box.ask_to_end()
        if self._kill_at is not None and now >= self._kill_at and self._give_up_at is None:
            self._give_up_at = now + _LAST_FILES_SECONDS
            self._box.kill_worker()
        if self._give_up_at is not None and now >= self._give_up_at:
            msg = "it did not end in time"
            raise LostError(msg)
        if now > self._heard_at + _SILENT_SECONDS:
            msg = f"it has said nothing for {_SILENT_SECONDS:g} seconds"
            raise LostError(msg)

    def _pass_commands(self) -> None:
        if self._box.waiting < _WAITING and (lines := self._commands.read_lines(_WAITING)):
            self._box.pass_commands(lines)

    def _wait_for_allowance(self) -> None:
        """Read more slowly than a run would like to send that sends too much."""
        now = time.monotonic()
        self._allowed = min(_BURST, self._allowed + (now - self._allowed_at) * _RATE)
        self._allowed_at = now
        if self._allowed < 0:
            time.sleep(min(-self._allowed / _RATE, _LONGEST_PAUSE))

    def _how(self, event: dict[str, Any]) -> RunStatus | None:
        """Return the status that the agent's word makes; None when the worker wrote its own."""
        said = self._intake.status
        code = event.get("code")
        match event.get("ended"):
            case "memory":
                return self._ended_as(RunState.FAILED, self._memory_message())
            case _ if said is not None and said.state.has_ended:
                return None
            case "failed":
                detail = str(event.get("detail") or self._files.last_log_line())[:300]
                message = f"The training's process could not begin: {detail}"
                return self._ended_as(RunState.FAILED, message)
            case _ if self._is_to_end:
                return self._interrupted("The training process was ended; it did not end in time.")
            case _:
                how = f"signal {-code}" if type(code) is int and code < 0 else f"code {code}"
                return self._interrupted(f"The training process ended by itself ({how}).")

    def _how_lost(self, error: LostError) -> RunStatus | None:
        is_ours = self._box.is_over
        asks = isinstance(error, StreamEndedError) and not is_ours
        end = self._box.how_it_ended() if asks else None
        said = self._intake.status
        if end is not None and end.out_of_memory:
            return self._ended_as(RunState.FAILED, self._memory_message())
        if said is not None and said.state.has_ended:
            return None
        if is_ours:
            return self._interrupted("The training's container was ended by the server.")
        return self._interrupted(f"The training's container was lost: {error}.")

    def _memory_message(self) -> str:
        return (
            f"The run used more than {self._box.limits.memory_mb} MiB of memory and was ended "
            "(limit memory_mb). Use fewer or smaller environments or a smaller network."
        )

    def _fail(self, message: str) -> None:
        self._box.end()
        self._intake.write_end(self._ended_as(RunState.FAILED, message))

    def _interrupted(self, message: str) -> RunStatus:
        return self._ended_as(RunState.INTERRUPTED, message)

    def _ended_as(self, state: RunState, message: str) -> RunStatus:
        step = self._intake.checkpoint_step
        remedy = (
            "Nothing was saved yet: resumed, it begins anew."
            if step is None
            else f"Resumed, it goes on from its checkpoint of step {step}."
        )
        status = self._intake.status
        if status is None:
            try:
                status = self._files.read_status()
            except InvalidInputError:
                status = RunStatus(state)
        return replace(status, state=state, message=f"{message} {remedy}")
