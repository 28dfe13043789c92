"""Everything in one file: the tables, and the blobs that they refer to.

The archive is a tar with gzip: ``manifest.json``, ``tables/<name>.jsonl`` (one row a line, the
values in the order of the table's columns), ``blobs/<digest>`` and, where there are some, the keys
beside the data (``KEY_FILES``). It is the same whatever the database is, so that a course can move
from SQLite to PostgreSQL and back.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from jupyter_ppo import __version__
from jupyter_ppo.domain.errors import (
    ConflictError,
    DamagedFileError,
    NotFoundError,
    StorageFullError,
    UnavailableError,
)
from jupyter_ppo.domain.ports import Progress
from jupyter_ppo.storage.blobs import FileBlobs, sync_folder
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.references import referenced_blobs
from jupyter_ppo.storage.secret_box import BOX_KEY_FILE
from jupyter_ppo.storage.signing_key import KEY_FILE
from jupyter_ppo.storage.tables import Base

FORMAT = "jupyter-ppo-backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
#: The keys beside the data: what signs badges, and what seals the secrets of webhooks.
KEY_FILES = (KEY_FILE, BOX_KEY_FILE)
_ROWS_AT_ONCE = 1000
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True, slots=True)
class TablePart:
    """A table in an archive: its rows, and the digest (SHA-256) of its file."""

    name: str
    columns: tuple[str, ...]
    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds. ``missing`` are blobs that were lost before it was made.

    ``keys`` has the digest (SHA-256) of each of ``KEY_FILES`` that is in it.
    """

    format: str
    format_version: int
    package: str
    schema: str
    created_at: str
    tables: tuple[TablePart, ...]
    blobs: int
    missing: tuple[str, ...]
    keys: dict[str, str] = field(default_factory=dict)


def back_up(
    database: Database,
    blobs: FileBlobs,
    target: Path,
    *,
    keys: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Manifest:
    """Write everything into ``target``, which must not be there; others may write meanwhile.

    The tables are those of one moment: whatever was receipted before this was called is in it. The
    file appears whole or not at all, and only its owner may read it. Blobs that are missing or
    damaged are left out and named in the manifest. ``keys`` is the folder of ``KEY_FILES``, which
    need not be there. Raises ``ConflictError`` (field ``file``), ``StorageFullError``
    or ``UnavailableError``.
    """
    if target.exists():
        msg = f"file: {target.name!r} is there already. Name another file; nothing was written."
        raise ConflictError(msg, field="file")
    try:
        with tempfile.TemporaryDirectory(prefix=".part-", dir=target.parent) as folder:
            part = Path(folder) / "archive"
            manifest = _write(database, blobs, keys, Path(folder), part, progress)
            os.replace(part, target)
        sync_folder(target.parent)
    except OSError as error:
        if error.errno in _NO_ROOM:
            msg = "There is no room for the backup; nothing is left of it. Name another disk."
            raise StorageFullError(msg, field="file") from error
        msg = f"file: the backup cannot be written: {error.strerror}."
        raise UnavailableError(msg, field="file") from error
    return manifest


def schema_revision(session: Session) -> str:
    """Return the revision that the tables are at."""
    context = MigrationContext.configure(session.connection())
    return str(context.get_current_revision())


def _write(
    database: Database,
    blobs: FileBlobs,
    keys: Path | None,
    folder: Path,
    archive: Path,
    progress: Progress,
) -> Manifest:
    with database.session() as session:
        if database.engine.dialect.name == "postgresql":
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        schema = schema_revision(session)
        tables = tuple(
            _dump(session, table, folder / table.name) for table in Base.metadata.sorted_tables
        )
        digests = sorted(referenced_blobs(session, blobs))
    missing: list[str] = []
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
            for each in tables:
                _add(tar, f"tables/{each.name}.jsonl", (folder / each.name).read_bytes())
                (folder / each.name).unlink()
            for done, digest in enumerate(digests, start=1):
                try:
                    _add(tar, f"blobs/{digest}", blobs.get(digest))
                except (NotFoundError, DamagedFileError):
                    missing.append(digest)
                progress(done, len(digests))
            secrets = _read_keys(keys)
            for name, secret in secrets.items():
                _add(tar, name, secret)
            manifest = Manifest(
                FORMAT,
                FORMAT_VERSION,
                __version__,
                schema,
                datetime.now(UTC).isoformat(),
                tables,
                len(digests) - len(missing),
                tuple(missing),
                {name: hashlib.sha256(each).hexdigest() for name, each in secrets.items()},
            )
            # Last, so that an archive that was cut off has none.
            _add(tar, MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    return manifest


def _read_keys(folder: Path | None) -> dict[str, bytes]:
    """Return the keys beside the data; one is made when it is used for the first time."""
    found: dict[str, bytes] = {}
    if folder is None:
        return found
    for name in KEY_FILES:
        with contextlib.suppress(FileNotFoundError):
            found[name] = (folder / name).read_bytes()
    return found


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    tar.addfile(info, io.BytesIO(data))


def _dump(session: Session, table: Table, path: Path) -> TablePart:
    digest, rows = hashlib.sha256(), 0
    with path.open("wb") as file:
        for line in _lines(session, table):
            digest.update(line)
            file.write(line)
            rows += 1
    names = tuple(column.name for column in table.columns)
    return TablePart(table.name, names, rows, digest.hexdigest())


def _lines(session: Session, table: Table) -> Iterator[bytes]:
    order = list(table.primary_key.columns)
    found = session.execute(
        select(table).order_by(*order), execution_options={"yield_per": _ROWS_AT_ONCE}
    )
    for row in found:
        values = [_plain(value) for value in row]
        yield json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    """Return a column's value as JSON has it; ``storage.restore`` knows the column's type."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
