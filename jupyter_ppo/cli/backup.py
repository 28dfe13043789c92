"""``jupyter ppo backup | restore | verify``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.domain.ports import Progress
from jupyter_ppo.services.audit import note
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.backup import Manifest, back_up
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.restore import check_archive, restore
from jupyter_ppo.storage.verify import verify


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    backup = commands.add_parser(
        "backup", help="write everything into one file, also while a server runs"
    )
    backup.add_argument("file", help="the file to write; it must not be there")
    backup.set_defaults(run=_backup)

    back = commands.add_parser("restore", help="put a backup into an empty data_dir and db_url")
    back.add_argument("file", help="the file that 'jupyter ppo backup' wrote")
    back.set_defaults(run=_restore)

    check = commands.add_parser("verify", help="say whether everything that is kept is whole")
    check.add_argument("file", nargs="?", help="a backup to verify, in place of what is kept here")
    check.set_defaults(run=_verify)


def _backup(arguments: argparse.Namespace, context: Context) -> int:
    with _progress("backup", "file") as progress:
        manifest = back_up(
            context.service.database,
            _blobs(context),
            Path(arguments.file),
            keys=_folder(context),
            progress=progress,
        )
    note(
        Audit(context.service.database),
        context.caller.user,
        "backup.written",
        Path(arguments.file).name,
        {"blobs": manifest.blobs},
    )
    print(f"{_counted(manifest)} written to {arguments.file}")
    print("keep it where only you can read it: it holds every submission, grade and secret")
    runs = sum(part.rows for part in manifest.tables if part.name == "training_runs")
    if runs:
        print(f"the folders of {runs} training runs are not in it: copy data_dir/runs as well")
    for digest in manifest.missing:
        print(f"  missing or damaged, not in the backup: blob {digest}", file=sys.stderr)
    return 1 if manifest.missing else 0


def _restore(arguments: argparse.Namespace, context: Context) -> int:
    with _progress("restore", "byte") as progress:
        manifest = restore(
            Path(arguments.file),
            context.service.database,
            _blobs(context),
            keys=_folder(context),
            progress=progress,
        )
    note(
        Audit(context.service.database),
        context.caller.user,
        "backup.restored",
        Path(arguments.file).name,
        {"created_at": manifest.created_at},
    )
    print(f"{_counted(manifest)} of {manifest.created_at} restored")
    for digest in manifest.missing:
        print(f"  was missing already when the backup was made: blob {digest}", file=sys.stderr)
    return 0


def _verify(arguments: argparse.Namespace, context: Context) -> int:
    if arguments.file is not None:
        with _progress("verify", "byte") as progress:
            manifest = check_archive(Path(arguments.file), progress=progress)
        print(f"{arguments.file} is whole: {_counted(manifest)} of {manifest.created_at}")
        return 0
    with _progress("verify", "file") as progress:
        found = verify(context.service.database, _blobs(context), progress=progress)
    for problem in found.problems:
        print(problem, file=sys.stderr)
    print(
        f"{found.submissions} submissions and {found.blobs} files verified: "
        f"{len(found.problems)} problems; {found.orphans} files that nothing refers to"
    )
    return 1 if found.problems else 0


def _blobs(context: Context) -> FileBlobs:
    return FileBlobs(_folder(context) / "blobs")


def _folder(context: Context) -> Path:
    return Path(context.settings.data_dir).absolute()


def _counted(manifest: Manifest) -> str:
    rows = sum(part.rows for part in manifest.tables)
    return f"{rows} rows and {manifest.blobs} files"


@contextmanager
def _progress(what: str, unit: str) -> Iterator[Progress]:
    with tqdm(desc=what, unit=unit, unit_scale=unit == "byte", disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
