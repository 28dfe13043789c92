"""The folders of runs: made whole or not at all, removed without touching anything else."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from jupyter_ppo.domain.errors import StorageFullError, UnavailableError
from jupyter_ppo.domain.run_records import TrainingRun
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import NO_ROOM

_log = logging.getLogger(__name__)

#: Making a folder takes milliseconds.
_ABANDONED_SECONDS = 3600.0
_NEW, _GONE = ".new-", ".gone-"
#: In a folder whose run is being deleted. Without it a folder is never swept away: its run may be
#: known to another database than this one.
_DELETED = ".deleted"


class RunFolders:
    """One folder per run below ``root``, named by the run's id. Use it from any thread."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, run_id: UUID) -> Path:
        """Return where a run's folder is, or will be."""
        return self.root / str(run_id)

    def files(self, run_id: UUID) -> RunDirectory:
        """Return the files of a run's folder."""
        return RunDirectory(self.path(run_id))

    def exists(self, run_id: UUID) -> bool:
        """Whether the folder is there and holds a run."""
        files = self.files(run_id)
        return not files.path.is_symlink() and files.spec_file.is_file()

    def make(self, run: TrainingRun) -> RunDirectory:
        """Return the run's folder, made if it is not there yet; also by several at once.

        Raises ``StorageFullError``, and ``UnavailableError``: with the field ``directory`` when
        it is this run's folder alone that cannot be made.
        """
        files = self.files(run.id)
        if self.exists(run.id):
            return files
        field = None
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(prefix=_NEW, dir=self.root))
            field = "directory"
            try:
                RunDirectory(part).create(
                    run.spec, name=run.name, tags=run.tags, state=RunState.QUEUED
                )
                os.rename(part, files.path)  # onto a folder that is not empty this fails
            except OSError:
                if not self.exists(run.id):
                    raise
            finally:
                shutil.rmtree(part, ignore_errors=True)
        except OSError as error:
            if error.errno in NO_ROOM:
                msg = "The disk is full: the run's folder cannot be made. Free some space."
                raise StorageFullError(msg) from error
            msg = f"The run's folder cannot be made: {error.strerror}."
            raise UnavailableError(msg, field=field) from error
        return files

    def mark_deleted(self, run_id: UUID) -> None:
        """Let ``sweep`` remove the folder should this process be killed before it has."""
        files = self.files(run_id)
        if self.exists(run_id):
            with contextlib.suppress(OSError):  # a full disk must not keep anybody from deleting
                (files.path / _DELETED).touch()

    def unmark_deleted(self, run_id: UUID) -> None:
        """Take the mark back: the run stays."""
        with contextlib.suppress(OSError):
            (self.path(run_id) / _DELETED).unlink()

    def remove(self, run_id: UUID) -> None:
        """Remove a run's folder; no error when there is none. A link is removed, not followed."""
        aside = self.root / f"{_GONE}{uuid4().hex}"
        try:
            os.rename(self.path(run_id), aside)
        except FileNotFoundError:
            return
        except OSError:
            _log.exception("The folder of run %s could not be removed.", run_id)
            return
        _remove(aside)

    def sweep(self, is_known: Callable[[UUID], bool]) -> None:
        """Remove what a killed server left of folders that it made or removed.

        ``is_known`` says whether a run is still there.
        """
        for mark in self.root.glob(f"*/{_DELETED}"):
            with contextlib.suppress(ValueError):
                run_id = UUID(mark.parent.name)
                if mark.parent.name == str(run_id) and not is_known(run_id):
                    self.remove(run_id)
        for path in self.root.glob(f"{_GONE}*"):
            _remove(path)
        for path in self.root.glob(f"{_NEW}*"):
            with contextlib.suppress(OSError):  # another server has just made it
                if path.lstat().st_mtime < time.time() - _ABANDONED_SECONDS:
                    _remove(path)


def _remove(path: Path) -> None:
    try:
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path)  # it follows no link
    except OSError:
        _log.exception("%s could not be removed; the next start tries again.", path.name)
