"""The worker process: ``python -m jupyter_ppo.training.worker RUN_DIRECTORY``.

It trains what spec.json says and writes the run directory (see ``files``). It stops, and saves the
model as it is, when told to and on SIGTERM. Started by ``run.start_run`` it has an owner: it also
stops when its standard input ends or its parent changes, which is when the owner is gone.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory

#: How long an update may take to end after the owner is gone or SIGTERM came.
_GRACE_SECONDS = 30.0
_OWNER_POLL_SECONDS = 1.0


class StopRequest:
    """A request from outside to end soon, with its reason."""

    def __init__(self) -> None:
        self.reason = ""

    def ask(self, reason: str) -> None:
        """End the training at its next step; end the process in any case after the grace time."""
        if self.reason:
            return
        self.reason = reason
        deadline = threading.Timer(_GRACE_SECONDS, os._exit, args=(1,))
        deadline.daemon = True
        deadline.start()

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Handle SIGTERM."""
        self.ask("The training process was told to end (SIGTERM).")

    def watch_owner(self) -> None:
        """Ask for the end when the process that started us is gone. Runs in a thread."""
        parent = os.getppid()
        while True:
            readable, _, _ = select.select([0], [], [], _OWNER_POLL_SECONDS)
            # A fork of the owner may hold the pipe open, so the parent is checked as well.
            if (readable and not os.read(0, 1024)) or os.getppid() != parent:
                self.ask("The process that started the training ended.")
                return


def main(arguments: Sequence[str] | None = None) -> int:
    """Train; return 0 when the run ended as it should, 1 when it FAILED."""
    parser = argparse.ArgumentParser(prog="python -m jupyter_ppo.training.worker")
    parser.add_argument(
        "--lock-descriptor",
        type=int,
        metavar="FD",
        help="worker.lock, opened and locked by the owner; end when standard input ends",
    )
    parser.add_argument("run_directory", type=Path)
    options = parser.parse_args(arguments)
    files = RunDirectory(options.run_directory.resolve())
    stop = StopRequest()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop.on_signal)
    if options.lock_descriptor is not None:
        # Ours already on a local disk; on NFS locks are not inherited.
        fcntl.flock(options.lock_descriptor, fcntl.LOCK_EX)
        threading.Thread(target=stop.watch_owner, name="owner", daemon=True).start()
        return _train(files, stop)
    with files.locked_for_worker():
        return _train(files, stop)


def _train(files: RunDirectory, stop: StopRequest) -> int:
    try:
        from jupyter_ppo.training.algorithm import Trainer  # loads torch: seconds

        Trainer(files, files.read_spec(), stop).run()
    except BaseException as error:
        # Whatever it was, the reader of the run gets one sentence and the log gets the rest.
        traceback.print_exc()
        status = files.read_status()
        message = f"Training failed: {_one_line(error)}"
        failed = RunStatus(
            RunState.FAILED, status.step, status.seconds, status.steps_per_second, message
        )
        files.write_status(failed)
        files.append_event(failed)
        return 1
    return 0


def _one_line(error: BaseException) -> str:
    text = error.message if isinstance(error, PPOError) else str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # all is written; taking torch apart would only cost time
