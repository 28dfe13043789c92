"""A backup back into an empty database and an empty folder: all of it, or nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import JSON, Column, DateTime, Enum, LargeBinary, Table, Uuid, func, insert, select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.errors import (
    ConflictError,
    DatabaseVersionError,
    InvalidInputError,
    NotFoundError,
)
from jupyter_ppo.domain.ports import Progress
from jupyter_ppo.storage.backup import (
    FORMAT,
    FORMAT_VERSION,
    KEY_FILES,
    MANIFEST,
    Manifest,
    TablePart,
    schema_revision,
)
from jupyter_ppo.storage.blobs import FileBlobs, sync_folder
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.tables import Base, UtcDateTime

_ROWS_AT_ONCE = 1000
#: The most of one member of an archive, and of a manifest.
_MAX_MEMBER = 64 * 2**30
_MAX_MANIFEST = 16 * 2**20
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class _Unpacked:
    """An archive on the disk, everything in it checked."""

    manifest: Manifest
    tables: Path
    blobs: Path
    keys: Path


def restore(
    archive: Path,
    database: Database,
    blobs: FileBlobs,
    *,
    keys: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Manifest:
    """Put a backup into an empty database and an empty folder of blobs.

    ``keys`` is the folder that the keys beside the data belong into; of those that are not in the
    backup, what is there stays. Every digest and every count is checked before anything is changed.
    Raises ``ConflictError`` when there is something in one of them already, ``InvalidInputError``
    (field ``file``) when the archive is damaged or no backup, ``DatabaseVersionError`` when it was
    made by another version.
    """
    if any(blobs.digests()):
        msg = "The folder for submitted files is not empty; nothing was restored. Use a new one."
        raise ConflictError(msg, field="data_dir")
    blobs.root.parent.mkdir(parents=True, exist_ok=True)
    with _unpacked(archive, blobs.root.parent, progress) as found, database.begin() as session:
        _check_version(found.manifest, schema_revision(session))
        for table in Base.metadata.sorted_tables:
            if session.execute(select(table).limit(1)).first() is not None:
                msg = (
                    f"db_url: the database is not empty (there are {table.name}); nothing was "
                    "restored. Use a new one."
                )
                raise ConflictError(msg, field="db_url")
        new_keys = [] if keys is None else _wanted_keys(found, keys)
        for part in found.manifest.tables:
            _fill(session, Base.metadata.tables[part.name], part, found.tables / part.name)
        _count_on(session)
        session.flush()
        if blobs.root.exists():
            shutil.rmtree(blobs.root)  # it holds no blob
        found.blobs.rename(blobs.root)
        try:
            for key in new_keys:
                shutil.move(found.keys / key.name, key)
                sync_folder(key.parent)
            sync_folder(blobs.root.parent)
            session.commit()
        except BaseException:
            shutil.rmtree(blobs.root, ignore_errors=True)
            for key in new_keys:
                key.unlink(missing_ok=True)
            raise
    return found.manifest


def _wanted_keys(found: _Unpacked, folder: Path) -> list[Path]:
    """Return where keys of the backup are to be put; raise when there is another one."""
    wanted: list[Path] = []
    for name, digest in found.manifest.keys.items():
        key = folder / name
        if not key.exists():
            wanted.append(key)
        elif hashlib.sha256(key.read_bytes()).hexdigest() != digest:
            msg = (
                f"data_dir: there is another key ({name}); nothing was restored. Move it away, or "
                "use a new folder."
            )
            raise ConflictError(msg, field="data_dir")
    return wanted


def check_archive(archive: Path, *, progress: Progress = lambda done, total: None) -> Manifest:
    """Read a backup from end to end as ``restore`` would; raise what it would raise of it."""
    with (
        tempfile.TemporaryDirectory(prefix="jupyter-ppo-") as folder,
        _unpacked(archive, Path(folder), progress) as found,
    ):
        return found.manifest


def _refuse(problem: str, cause: BaseException | None = None) -> NoReturn:
    msg = f"file: {problem}. Use another backup; nothing was restored."
    raise InvalidInputError(msg, field="file") from cause


def _check_version(manifest: Manifest, schema: str) -> None:
    if manifest.schema != schema:
        msg = (
            f"file: this backup was made by jupyter_ppo {manifest.package} with tables at revision "
            f"{manifest.schema!r}; here they are at {schema!r}. Restore it with that version, then "
            "upgrade: tables are brought up to date at the first start."
        )
        raise DatabaseVersionError(msg, field="file")


# -- the archive ---------------------------------------------------------------------------------


@contextmanager
def _unpacked(archive: Path, beside: Path, progress: Progress) -> Generator[_Unpacked]:
    try:
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=beside) as name:
            folder = Path(name)
            yield _unpack(archive, folder, progress)
    except FileNotFoundError as error:
        if error.filename != str(archive):
            raise
        msg = f"file: there is no file {archive.name!r}."
        raise NotFoundError(msg, field="file") from error


def _unpack(archive: Path, folder: Path, progress: Progress) -> _Unpacked:
    tables, blobs, keys = folder / "tables", folder / "blobs", folder / "keys"
    tables.mkdir()
    blobs.mkdir(mode=0o700)
    keys.mkdir(mode=0o700)
    manifest: Manifest | None = None
    key_digests: dict[str, str] = {}
    digests: dict[str, str] = {}
    count, whole = 0, max(1, archive.stat().st_size)
    try:
        with archive.open("rb") as raw, gzip.GzipFile(fileobj=raw) as file:
            with tarfile.open(fileobj=file, mode="r|") as tar:
                for member in tar:
                    _check_member(member)
                    data = tar.extractfile(member)
                    if data is None:
                        _refuse(f"{member.name!r} in it cannot be read")
                    kind, _, rest = member.name.partition("/")
                    if member.name == MANIFEST:
                        manifest = _read_manifest(data.read(_MAX_MANIFEST))
                    elif member.name in KEY_FILES:
                        key_digests[member.name] = _copy(data, keys / member.name)
                        (keys / member.name).chmod(0o600)
                    elif kind == "tables":
                        digests[rest] = _copy(data, tables / rest.removesuffix(".jsonl"))
                    else:
                        (blobs / rest[:2]).mkdir(mode=0o700, exist_ok=True)
                        if _copy(data, blobs / rest[:2] / rest[2:]) != rest:
                            _refuse(f"the blob {rest} in it is damaged")
                        count += 1
                    progress(min(raw.tell(), whole), whole)
            while file.read(_PIECE):  # to the end: the checksum of all comes last
                pass
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        _refuse("it is damaged, or no backup", error)
    if manifest is None:
        _refuse("it has no manifest: it was cut off, or is no backup")
    for part in manifest.tables:
        if digests.pop(f"{part.name}.jsonl", None) != part.digest:
            _refuse(f"the table {part.name!r} in it is missing or damaged")
    if digests or count != manifest.blobs:
        _refuse(f"it holds {count} blobs and not the {manifest.blobs} that it says")
    for name in KEY_FILES:
        if key_digests.get(name) != manifest.keys.get(name):
            _refuse(f"the key {name} is missing in it or damaged")
    return _Unpacked(manifest, tables, blobs, keys)


def _check_member(member: tarfile.TarInfo) -> None:
    """Raise ``InvalidInputError`` unless this is a plain file with a name that we give."""
    kind, _, rest = member.name.partition("/")
    known = {table.name for table in Base.metadata.sorted_tables}
    is_ours = (
        member.name in {MANIFEST, *KEY_FILES}
        or (kind == "tables" and rest.removesuffix(".jsonl") in known and rest.endswith(".jsonl"))
        or (kind == "blobs" and len(rest) == 64 and set(rest) <= set("0123456789abcdef"))
    )
    if not member.isreg() or member.issparse() or not is_ours or member.size > _MAX_MEMBER:
        _refuse(f"{member.name[:80]!r} in it does not belong into a backup")


def _copy(source: Any, target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while piece := source.read(_PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _read_manifest(data: bytes) -> Manifest:
    try:
        found = json.loads(data)
        tables = tuple(
            TablePart(part["name"], tuple(part["columns"]), part["rows"], part["digest"])
            for part in found.pop("tables")
        )
        # Until revision v0011 there was one key.
        badges = found.pop("key", None)
        keys = dict(found.pop("keys", {} if badges is None else {KEY_FILES[0]: badges}))
        missing = tuple(found.pop("missing"))
        manifest = Manifest(tables=tables, missing=missing, keys=keys, **found)
    except (ValueError, KeyError, TypeError) as error:
        _refuse("its manifest cannot be read", error)
    if (manifest.format, manifest.format_version) != (FORMAT, FORMAT_VERSION):
        _refuse(f"it is no backup of version {FORMAT_VERSION}")
    if not set(keys) <= set(KEY_FILES):
        _refuse("its manifest names a key that is none of ours")
    if len({part.name for part in tables}) != len(tables):
        _refuse("its manifest names a table twice")
    return manifest


# -- the tables ----------------------------------------------------------------------------------


def _fill(session: Session, table: Table, part: TablePart, path: Path) -> None:
    if sorted(part.columns) != sorted(column.name for column in table.columns):
        _refuse(f"the table {part.name!r} in it has other columns")
    columns = [table.columns[name] for name in part.columns]
    count = 0
    for rows in _batches(path, columns):
        session.execute(insert(table), rows)
        count += len(rows)
    if count != part.rows:
        _refuse(f"the table {part.name!r} in it has {count} rows and not {part.rows}")


def _count_on(session: Session) -> None:
    """Let PostgreSQL number new rows after those that are here; SQLite does so by itself."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            counter = func.pg_get_serial_sequence(table.name, column.name)
            session.execute(select(func.setval(counter, func.max(column))))


def _batches(path: Path, columns: list[Column[Any]]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    with path.open("rb") as file:
        for line in file:
            try:
                values = json.loads(line)
                rows.append(
                    {
                        column.name: _value(column, value)
                        for column, value in zip(columns, values, strict=True)
                    }
                )
            except (ValueError, TypeError, AttributeError) as error:
                _refuse(f"a row of {path.name!r} in it cannot be read", error)
            if len(rows) == _ROWS_AT_ONCE:
                yield rows
                rows = []
    if rows:
        yield rows


def _value(column: Column[Any], value: Any) -> Any:
    """Return the Python value of what ``storage.backup`` wrote."""
    kind = column.type
    if value is None or isinstance(kind, JSON):
        return value
    if isinstance(kind, UtcDateTime | DateTime):
        return datetime.fromisoformat(value)
    if isinstance(kind, Uuid):
        return UUID(value)
    if isinstance(kind, LargeBinary):
        return base64.b64decode(value)
    if isinstance(kind, Enum) and kind.enum_class is not None:
        return kind.enum_class(value)
    return value
