"""``jupyter ppo worker``: a process that only works, beside services that only answer."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.domain.errors import InvalidInputError, UnavailableError
from jupyter_ppo.wiring import PPOService, Service
from jupyter_ppo.wiring.service import Part

_log = logging.getLogger(__name__)

#: How often the database is asked for the heartbeat, in seconds.
_BEAT_SECONDS = 10.0
_ENGINE_PARTS = (Part.GRADING, Part.TRAINING)
#: The settings that say how much of each is done at a time; 0 is none.
_COUNTED = {
    Part.GRADING: "grading_workers",
    Part.TRAINING: "training_workers",
    Part.WEBHOOKS: "webhook_senders",
}
_HAND_OVER = (signal.SIGTERM, signal.SIGINT)


def add_commands(commands: Commands) -> None:
    """Add this module's command to the parser."""
    worker = commands.add_parser(
        "worker",
        help="grade and train for a service whose own process does not, until SIGTERM",
        description="Takes jobs from the service's database until SIGTERM or Ctrl-C. It needs that "
        "database (PostgreSQL; of SQLite the same file, on the same machine), the same data_dir, "
        "and for grading and training a container engine with the sandbox image. Exit status: 0 "
        "when it was told to end and handed everything over, 1 when it could not begin, 143 or 130 "
        "after a second signal.",
    )
    worker.add_argument("--config", help="a Jupyter config file: the one that the service reads")
    worker.add_argument(
        "--only",
        type=_parts,
        metavar="PARTS",
        help=f"what it does, with commas between: {', '.join(Part)}; without it, all of these",
    )
    worker.add_argument(
        "--heartbeat",
        metavar="FILE",
        help=f"a file that is touched every {_BEAT_SECONDS:g} s while the database answers; for "
        "health checks",
    )
    worker.add_argument(
        "--check",
        action="store_true",
        help="only say whether everything that it needs is there: exit status 0 or 1",
    )
    worker.set_defaults(run=_worker)


def _parts(text: str) -> frozenset[Part]:
    try:
        return frozenset(Part(word.strip()) for word in text.split(","))
    except ValueError:
        msg = f"{text!r}: there are {', '.join(Part)}, with commas between"
        raise argparse.ArgumentTypeError(msg) from None


def _worker(arguments: argparse.Namespace, context: Context) -> int:
    _log_to_stderr()
    with Context(context.argv, config_file=arguments.config) as own:
        settings = own.settings
        # Other people's code: with this, training beside the process is refused.
        settings.identity = "provider"
        parts = _chosen(arguments.only, settings)
        service = own.service
        if Part.DRAFTS in parts and service.gate.about is None:
            if arguments.only is not None:
                msg = (
                    "llm_provider: no language model is set up, so nothing can be drafted. Set it."
                )
                raise InvalidInputError(msg, field="llm_provider")
            parts -= {Part.DRAFTS}
        is_ready = _say_what_is_there(service, settings, parts)
        if arguments.check:
            return 0 if is_ready else 1
        return _work(service, parts, arguments.heartbeat)


def _chosen(only: frozenset[Part] | None, settings: PPOService) -> frozenset[Part]:
    """Return what to do; raise ``InvalidInputError`` when a setting of 0 leaves nothing of it."""
    none = {part for part, setting in _COUNTED.items() if getattr(settings, setting) == 0}
    for part in none.intersection(only or ()):
        name = _COUNTED[part]
        msg = f"{name}: it is 0, so this worker would do none. Use --PPOService.{name}=2."
        raise InvalidInputError(msg, field=name)
    return frozenset(Part) - none if only is None else only


def _say_what_is_there(service: Service, settings: PPOService, parts: frozenset[Part]) -> bool:
    """Log what it does and on what; return whether all that it needs is there."""
    counts = {
        part: f" ({getattr(settings, setting)} at a time)" for part, setting in _COUNTED.items()
    }
    doing = ", ".join(f"{part}{counts.get(part, '')}" for part in Part if part in parts)
    _log.info("this worker, process %d, does: %s", os.getpid(), doing)
    url = service.database.engine.url
    if url.get_backend_name() == "sqlite":
        _log.info(
            "database: the SQLite file %s; the service and all workers must be on this machine and "
            "use this file. Several machines need PostgreSQL",
            url.database,
        )
    else:
        _log.info("database: %s", url.render_as_string(hide_password=True))
    _log.info("files: %s, which the service must share", Path(settings.data_dir).absolute())
    if not parts.intersection(_ENGINE_PARTS):
        return True
    status = service.sandbox.status()
    if status.available:
        _log.info("engine: %s, image %s", status.engine, status.image)
    else:
        problem = f"{status.problem} {status.remedy or ''}".rstrip()
        _log.warning("engine: %s Until then nothing is graded or trained here", problem)
    return status.available


def _work(service: Service, parts: frozenset[Part], heartbeat: str | None) -> int:
    told = threading.Event()
    with _handing_over(told):
        service.start_work(parts)
        try:
            while not told.is_set():
                if heartbeat is not None:
                    _beat(service, Path(heartbeat))
                told.wait(_BEAT_SECONDS)
            _log.info(
                "told to end: what is not done within %g s goes back to the queue, training runs "
                "write a checkpoint",
                service.drain_seconds,
            )
        finally:
            service.stop()
    _log.info("everything is handed over")
    return 0


def _beat(service: Service, path: Path) -> None:
    try:
        service.jobs.pending()
    except UnavailableError as error:
        _log.warning("no heartbeat: %s", error.message)
        return
    try:
        path.touch()
    except OSError as error:
        msg = f"heartbeat: {str(path)!r} cannot be written: {error.strerror}. Name another file."
        raise InvalidInputError(msg, field="heartbeat") from error


@contextlib.contextmanager
def _handing_over(told: threading.Event) -> Iterator[None]:
    """Set ``told`` at the first signal; at a second one end at once: the leases run out."""

    def tell(number: int, _: FrameType | None) -> None:
        if told.is_set():
            os._exit(128 + number)
        told.set()

    before = {number: signal.signal(number, tell) for number in _HAND_OVER}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    ours = logging.getLogger("jupyter_ppo")
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    ours.propagate = False
