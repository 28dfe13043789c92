"""Writes into a run's folder what comes of it out of a container.

The stream's frames are made by our agent; the bytes in them are the student's. So a frame that no
agent makes is a ``LostError``, and content that is not what its file holds is left out: neither can
do more than spoil this one run. What is written stays resumable at every moment: a checkpoint gets
its name when the lines that belong to it are on the disk.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from jupyter_ppo.domain.training import RunStatus
from jupyter_ppo.sandbox.agent_wire import LostError
from jupyter_ppo.sandbox.run_lines import (
    CHECKS,
    MAX_LINE,
    status_of,
    taken,
    why_no_checkpoint,
    why_no_zip,
)
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import sync_folder
from jupyter_ppo.training.watchdog import trim_log

#: Where files wait until they are whole. It begins with a dot: no reader looks there.
_INCOMING: Final = ".incoming"
_CHECKPOINT: Final = re.compile(r"checkpoints/([0-9]{12})\.ckpt")
_MODEL: Final = "model.zip"
#: How much more than it may a folder holds before the run is ended from outside, in bytes. The
#: worker looks at its folder every few seconds and ends by itself.
_LATE_BYTES: Final = 16 * 2**20
#: The longest state.json that is looked at, in bytes.
_STATE_BYTES: Final = 64 * 1024
#: Sentences on what was left out that are written into worker.log; the rest is only counted.
_MOST_SENTENCES: Final = 20


class RunTooLargeError(Exception):
    """The run has written more than its folder may hold."""


class RunIntake:
    """Takes what comes of one run. One thread uses it, whose process holds the run's lock.

    ``file_bytes`` is the longest file that is taken, ``disk_bytes`` what the folder may hold,
    ``keep`` how many checkpoints. ``status`` is the newest status that the worker wrote; one that
    says how the run ended is written only by ``write_end``, when its processes are gone.
    """

    def __init__(
        self,
        files: RunDirectory,
        *,
        file_bytes: int,
        disk_bytes: int,
        keep: int,
        checkpoint_step: int | None,
    ) -> None:
        self._files = files
        self._file_bytes = file_bytes
        self._disk_bytes = disk_bytes + _LATE_BYTES
        self._keep = keep
        self.status: RunStatus | None = None
        self.checkpoint_step = checkpoint_step
        self._incoming = files.path / _INCOMING
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._lines: dict[str, BinaryIO] = {}
        self._torn = {name: bytearray() for name in CHECKS}
        self._is_too_long = dict.fromkeys(CHECKS, False)
        #: The file that comes, where it waits, and how many bytes of it are missing.
        self._target = ""
        self._file: BinaryIO | None = None
        self._missing = 0
        self._sentences = 0
        self._size = files.size_bytes()

    def take(self, parts: Sequence[bytes]) -> None:
        """Take one message of the courier (see ``inside.courier``).

        Raises ``LostError``, ``RunTooLargeError``, or ``OSError`` when the disk is full.
        """
        match [bytes(part) for part in parts]:
            case [b"lines", name, data] if (text := name.decode("latin-1")) in CHECKS:
                self._take_lines(text, data)
            case [b"state", data] if len(data) <= _STATE_BYTES:
                self._take_state(data)
            case [b"file", name, size] if re.fullmatch(rb"[0-9]{1,12}", size):
                self._begin_file(name.decode("latin-1"), int(size))
            case [b"part", data]:
                self._take_part(data)
            case [b"drop"]:
                self._drop_file()
            case _:
                msg = "a message on a run that is none"
                raise LostError(msg)

    def take_output(self, data: bytes) -> None:
        """Keep what the worker and its libraries printed, as far as the log is long."""
        with self._files.log_file.open("ab") as log:
            log.write(data)
        trim_log(self._files)

    def write_end(self, status: RunStatus | None) -> None:
        """Write how the run ended: what the worker said last, or ``status`` in its place."""
        if status is not None:
            self._files.announce(replace(status, checkpoint_step=self.checkpoint_step))
        elif self.status is not None:
            self._files.write_status(replace(self.status, checkpoint_step=self.checkpoint_step))

    def close(self) -> None:
        """Let go of all files, and of what came of a file that is not whole."""
        self._drop_file()
        for file in self._lines.values():
            file.close()
        self._lines.clear()
        shutil.rmtree(self._incoming, ignore_errors=True)

    def _take_lines(self, name: str, data: bytes) -> None:
        torn = self._torn[name]
        *whole, rest = (bytes(torn) + data).split(b"\n")
        torn[:] = rest
        checked = bytearray()
        for line in whole:
            if self._is_too_long[name]:  # the end of one whose beginning was dropped
                self._is_too_long[name] = False
            elif len(line) <= MAX_LINE and (text := taken(line, CHECKS[name])) is not None:
                checked += text
            elif line.strip():
                self._say(f"a line of {name} was left out, which is none")
        if len(torn) > MAX_LINE:
            torn.clear()
            if not self._is_too_long[name]:
                self._say(f"a line of {name} was left out, which is too long")
            self._is_too_long[name] = True
        if not checked:
            return
        self._grow(len(checked))
        file = self._lines.get(name)
        if file is None:
            file = self._lines[name] = (self._files.path / name).open("ab", buffering=0)
        while checked:
            del checked[: file.write(checked)]

    def _take_state(self, data: bytes) -> None:
        status = status_of(data)
        if status is None:
            self._say("a state.json was left out, which is none")
            return
        self.status = replace(status, checkpoint_step=self.checkpoint_step)
        if not status.state.has_ended:
            self._files.write_status(self.status)

    def _begin_file(self, name: str, size: int) -> None:
        if self._file is not None or not (name == _MODEL or _CHECKPOINT.fullmatch(name)):
            msg = "a file of a run that is none"
            raise LostError(msg)
        if not 0 < size <= self._file_bytes:
            msg = f"a file of {size} bytes"
            raise LostError(msg)
        if self._size + size > self._disk_bytes:
            raise RunTooLargeError
        self._incoming.mkdir(exist_ok=True)
        self._target, self._missing = name, size
        self._file = (self._incoming / Path(name).name).open("wb")

    def _take_part(self, data: bytes) -> None:
        if self._file is None or not 0 < len(data) <= self._missing:
            msg = "a part of a file that is none"
            raise LostError(msg)
        self._file.write(data)
        self._missing -= len(data)
        if not self._missing:
            self._keep_file()

    def _keep_file(self) -> None:
        """Check the file that has come, and give it its name."""
        assert self._file is not None  # noqa: S101 - only called with one
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        path = self._incoming / Path(self._target).name
        match = _CHECKPOINT.fullmatch(self._target)
        if match is None:
            reason = why_no_zip(path)
        else:
            reason = why_no_checkpoint(self._incoming, int(match[1]))
        if reason is not None:
            path.unlink()
            self._say(f"{self._target} was left out: {reason}")
            return
        if match is None:
            self._files.model_signature_file.unlink(missing_ok=True)  # of another model, if any
            path.replace(self._files.model_file)
            sync_folder(self._files.path)
        else:
            self._keep_checkpoint(path, int(match[1]))
        self._size = self._files.size_bytes()

    def _keep_checkpoint(self, path: Path, step: int) -> None:
        for file in self._lines.values():  # the lines that belong to it come first
            os.fsync(file.fileno())
        self._files.checkpoints_folder.mkdir(exist_ok=True)
        path.replace(self._files.checkpoints().path(step))
        sync_folder(self._files.checkpoints_folder)
        self.checkpoint_step = step
        self._files.checkpoints().prune(self._keep)

    def _drop_file(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            (self._incoming / Path(self._target).name).unlink(missing_ok=True)

    def _grow(self, size: int) -> None:
        if self._size + size > self._disk_bytes:
            raise RunTooLargeError
        self._size += size

    def _say(self, sentence: str) -> None:
        self._sentences += 1
        if self._sentences <= _MOST_SENTENCES:
            self.take_output(f"[sandbox] {sentence}\n".encode("ascii", "replace"))
