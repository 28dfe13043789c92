"""Runs of people who keep their own training loop: the same folder as any other run.

::

    from jupyter_ppo.training.own_loop import RunLog

    run = RunLog("runs/mine", env_id="CartPole-v1", learning_rate=3e-4)
    run.log(step, loss=loss, approx_kl=kl)  # as often as you like
    run.close()

Such a run can be opened, drawn, compared and exported while it goes on and afterwards, also when
its process was killed. Nobody but its own loop can go on with it: there are no checkpoints.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, UnavailableError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    Evaluation,
    Metric,
    MetricPoint,
    RunState,
    RunStatus,
    metric_name,
)
from jupyter_ppo.training import given_values
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.given_values import number, step_after
from jupyter_ppo.training.lines import replace_file
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.training.minibatches import MinibatchLog, is_recorded

#: What stands for the environment where none is named.
CUSTOM: Final = "custom"
#: The mark of such a run: a JSON list of the hyperparameters that its author gave.
MARK: Final = "own_loop"
#: How long a point may wait for its write, and a status for its own, in seconds.
_FLUSH_SECONDS, _STATUS_SECONDS = 0.2, 1.0
#: Points are written at once when so many bytes wait, and dropped when a full disk keeps so many.
_FLUSH_POINTS, _MOST_WAITING = 2000, 500_000
#: What a line says besides metrics.
_RESERVED: Final = frozenset({"step", "seconds", "rewind"})


class RunLog:
    """One run that the code around it trains. Safe to use from several threads.

    ``directory`` is made; it must hold no run. The hyperparameters are those of ``RunSpec``, as far
    as the loop has them; tables leave the others empty. Use it in a ``with`` statement, or call
    ``close``: a run without its end is INTERRUPTED.

    Raises ``ConflictError`` when the directory holds a run, ``InvalidInputError`` for a
    hyperparameter, and ``UnavailableError`` when nothing can be written there.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        name: str = "",
        tags: Sequence[str] = (),
        **hyperparameters: Any,
    ) -> None:
        self._ended = True  # until it has begun
        spec = RunSpec.from_dict({"env_id": CUSTOM, **hyperparameters})
        self.directory = Path(directory).resolve()
        self._files = RunDirectory(self.directory)
        self._total_steps = spec.total_steps if "total_steps" in hyperparameters else 0
        self._lock = threading.RLock()
        self._resources = contextlib.ExitStack()
        self._known: set[str] = {metric.value for metric in Metric}
        self._pid = os.getpid()
        self._began = time.monotonic()
        self._step = self._points = self._waiting = self._minibatches = 0
        self._status_at = (self._began, 0)
        self._rate = 0.0
        self._has_warned = False
        self._stop = threading.Event()
        self._begin(spec, name, tags, sorted(hyperparameters))
        threading.Thread(
            target=_keep_writing,
            args=(weakref.ref(self), self._stop),
            name="jupyter-ppo-run-log",
            daemon=True,
        ).start()
        _OPEN.add(self)

    def __repr__(self) -> str:
        return f"<RunLog step {self._step} in {self.directory}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        elif issubclass(kind, Exception):
            self._end(RunState.FAILED, _described(kind, error))
        else:  # KeyboardInterrupt: the person ended it
            self._end(RunState.STOPPED, f"The loop was ended ({kind.__name__}).")

    def __del__(self) -> None:
        self._end(RunState.INTERRUPTED, "The log was dropped before close() was called.")

    @property
    def step(self) -> int:
        """The newest step that was logged."""
        return self._step

    def log(self, step: int, /, **metrics: Any) -> None:
        """Note what was measured after ``step`` environment steps, such as ``loss=0.1``.

        Values are numbers, or arrays and tensors of one number; NaN is allowed, an infinite value
        is kept as NaN. Costs microseconds: the file is written a few times a second. The names in
        ``Metric`` are drawn together with those of other runs; one that is no Python name goes as
        ``**{"return": 1.0}``.

        Raises ``InvalidInputError`` naming the metric or the step, which never goes back, and
        ``ConflictError`` after the end.
        """
        values = {self._name(name): number(name, value) for name, value in metrics.items()}
        if not values:
            msg = "metrics: nothing to log. Name at least one, such as log(step, loss=0.1)."
            raise InvalidInputError(msg, field="metrics")
        with self._lock:
            self._check_open()
            self._add(step_after(self._step, step), values)

    def episode(self, step: int, episode_return: float, length: int) -> None:
        """Note the end of a training episode: undiscounted sum of rewards, and steps."""
        self.log(step, **{Metric.RETURN.value: episode_return, Metric.LENGTH.value: length})

    def evaluation(
        self,
        step: int,
        returns: Iterable[float],
        lengths: Iterable[int],
        *,
        seed: int,
        deterministic: bool = True,
    ) -> None:
        """Note episodes on held-out seeds, of which the first one is ``seed``."""
        given = tuple(number("returns", value) for value in returns)
        taken = tuple(int(number("lengths", value)) for value in lengths)
        if not given or len(given) != len(taken):
            msg = f"lengths: {len(taken)} lengths for {len(given)} returns; give one for each."
            raise InvalidInputError(msg, field="lengths")
        with self._lock:
            self._check_open()
            at = step_after(self._step, step)
            found = Evaluation(at, self._seconds(), int(seed), deterministic, given, taken)
            values = {
                Metric.EVAL_RETURN.value: found.mean_return,
                Metric.EVAL_LENGTH.value: sum(taken) / len(taken),
            }
            self._add(at, values)
            self._files.append_evaluation(found)

    def minibatch(self, step: int, /, *, ratios: Any, advantages: Any, clip_range: float) -> None:
        """Note samples of an update, to be looked at in "Inside PPO"; once per update is enough.

        ``ratios`` are exp(new log probability - old one) and ``advantages`` those of the loss, one
        for each sample: lists, arrays or tensors of (B,). Of more than 256 samples 256 are kept,
        and of more than 512 calls every second, fourth, ... one; samples that are not finite are
        left out. Raises ``InvalidInputError`` naming the value, ``ConflictError`` after the end.
        """
        with self._lock:
            self._check_open()
            at = step_after(self._step, step)
            self._step = at
            self._minibatches += 1
            if is_recorded(self._minibatches):
                given = (ratios, advantages, clip_range)
                found = given_values.minibatch(at, self._minibatches, *given)
                if found is not None:
                    with self._warning_of_a_full_disk("Minibatches"):
                        MinibatchLog(self._files.minibatches_file).add(found)

    def close(self, message: str = "") -> None:
        """Write what is left and end the run as FINISHED. More than once does no harm."""
        self._end(RunState.FINISHED, message)

    def fail(self, message: str) -> None:
        """End the run as FAILED; ``message`` is one sentence on why."""
        self._end(RunState.FAILED, message)

    def _begin(self, spec: RunSpec, name: str, tags: Sequence[str], given: list[str]) -> None:
        self._refuse_used()
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            with contextlib.ExitStack() as held:
                held.enter_context(self._files.locked_for_worker())
                self._refuse_used()  # somebody else may have been first
                try:
                    replace_file(self._files.own_loop_file, json.dumps(given).encode())
                    self._files.create(spec, name=name, tags=tuple(tags))
                    self._metrics = MetricWriter(self._files.metrics_file)
                    held.callback(self._metrics.close)
                    self._files.announce(self._status(RunState.RUNNING))
                except BaseException:  # what has not begun is no run, and has no mark of one
                    self._files.spec_file.unlink(missing_ok=True)
                    self._files.own_loop_file.unlink(missing_ok=True)
                    raise
                self._resources = held.pop_all()
        except OSError as error:
            msg = (
                f"directory: no run can be written to {self.directory} "
                f"({error.strerror or error}). Choose another directory."
            )
            raise UnavailableError(msg, field="directory") from error
        self._ended = False

    def _refuse_used(self) -> None:
        if self._files.spec_file.exists():
            msg = f"directory: {self.directory} holds a run already. Choose a new directory."
            raise ConflictError(msg, field="directory")

    def _name(self, name: str) -> str:
        if name not in self._known:
            if name in _RESERVED:
                msg = f"{name!r} is kept for the run's own use. Give the metric another name."
                raise InvalidInputError(msg, field="metrics")
            self._known.add(metric_name(name))
        return name

    def _check_open(self) -> None:
        if self._ended:
            msg = f"state: the run in {self.directory} has ended. Begin a new one for more."
            raise ConflictError(msg, field="state")
        if self._pid != os.getpid():
            msg = "state: this process is a fork of the one that logs. Log there, or begin a run."
            raise ConflictError(msg, field="state")

    def _add(self, step: int, values: dict[str, float]) -> None:
        self._step = step
        self._points += 1
        if self._waiting < _MOST_WAITING:
            self._metrics.add(MetricPoint(step, self._seconds(), values))
            self._waiting += 1
        if self._waiting % _FLUSH_POINTS == 0:
            self._write()

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def _status(self, state: RunState, message: str = "") -> RunStatus:
        return RunStatus(
            state,
            step=self._step,
            seconds=self._seconds(),
            steps_per_second=self._rate,
            message=message,
            total_steps=self._total_steps,
            update=self._points,
        )

    def _tick(self) -> None:
        """Write what waits; from the thread, a few times a second."""
        with self._lock:
            if self._ended or self._pid != os.getpid():
                return
            self._write()
            now = time.monotonic()
            at, step = self._status_at
            if now - at >= _STATUS_SECONDS:
                self._rate = (self._step - step) / (now - at)
                self._status_at = (now, self._step)
                with contextlib.suppress(OSError):  # the metrics say it already
                    self._files.write_status(self._status(RunState.RUNNING))

    def _write(self) -> None:
        with self._warning_of_a_full_disk("Metrics"):
            self._metrics.flush()
            self._waiting = 0

    @contextlib.contextmanager
    def _warning_of_a_full_disk(self, what: str) -> Iterator[None]:
        """Warn once: a log that cannot be written is no reason to end somebody's training."""
        try:
            yield
        except OSError as error:
            if not self._has_warned:
                self._has_warned = True
                text = (
                    f"{what} cannot be written to {self.directory} ({error.strerror or error}). "
                    "Metrics are kept in memory for a while; make room on the disk."
                )
                warnings.warn(text, RuntimeWarning, stacklevel=4)

    def _end(self, state: RunState, message: str) -> None:
        if self._ended or self._pid != os.getpid():
            return
        with self._lock:
            self._ended = True
            self._stop.set()
            _OPEN.discard(self)
            self._rate = self._step / max(self._seconds(), 1e-9)
            try:
                self._write()
                self._files.announce(self._status(state, message))
            except OSError as error:
                text = f"The end of the run in {self.directory} cannot be written ({error})."
                warnings.warn(text, RuntimeWarning, stacklevel=3)
            finally:
                with contextlib.suppress(OSError):
                    self._resources.close()


def log(step: int, /, **metrics: Any) -> None:
    """Log into this process's own run, which the first call begins in a new folder in ``runs``.

    It ends with the process, or with ``default_log().close()``; the next call begins another one.
    Raises as ``RunLog.log`` and ``RunLog`` do.
    """
    default_log().log(step, **metrics)


def default_log() -> RunLog:
    """Return the run that ``log`` writes to; begin it if there is none."""
    global _default  # noqa: PLW0603 - one for each process is what it is for
    with _default_lock:
        if _default is None or _default._ended or _default._pid != os.getpid():
            now = datetime.now(UTC).astimezone()
            folder = f"own-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
            _default = RunLog(Path("runs") / folder)
        return _default


def given_hyperparameters(directory: Path) -> frozenset[str] | None:
    """Return what the author of such a run said of it; None for a run of our own workers."""
    try:
        names = json.loads((directory / MARK).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        names = []
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def _keep_writing(reference: weakref.ref[RunLog], stop: threading.Event) -> None:
    while not stop.wait(_FLUSH_SECONDS):
        run = reference()
        if run is None:
            return
        run._tick()
        del run


def _described(kind: type[BaseException], error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return f"The loop failed: {kind.__name__}: {lines[0][:300] if lines else 'no message'}"


_OPEN: weakref.WeakSet[RunLog] = weakref.WeakSet()
_default: RunLog | None = None
_default_lock = threading.Lock()


@atexit.register
def _end_open_runs() -> None:
    for run in list(_OPEN):
        if run is _default and getattr(sys, "last_value", None) is None:
            run.close()  # of a script that came to its end, nobody was to close this one
        run._end(RunState.INTERRUPTED, "The process ended before close() was called.")
