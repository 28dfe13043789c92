"""A model that Stable-Baselines3's ``PPO.save`` wrote, looked at without unpickling any of it.

Loading one runs whatever its author put into it (``data`` holds pickles), so that only a student's
own container ever does. Here the archive's table is read, and ``data`` as JSON.
"""

from __future__ import annotations

import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NoReturn

from jupyter_ppo.domain.errors import InvalidModelError, TooLargeError

#: The most bytes of a saved model, and of what is in it.
MAX_BYTES = 8 * 2**20
MAX_UNPACKED_BYTES = 64 * 2**20
_MAX_ENTRIES = 30
_MAX_RATIO = 100
#: What stands at the end of the archive: its table and, without a comment, 22 bytes about it.
_MAX_TABLE_BYTES, _END_BYTES = 16 * 2**10, 22
_END, _END_64, _START = b"PK\x05\x06", b"PK\x06\x07", b"PK\x03\x04"
_PARTS = ("data", "policy.pth", "_stable_baselines3_version")
#: JSON of empty brackets needs 200 times its size in memory.
_MAX_DATA_BYTES, _MAX_VERSION_BYTES = 4 * 2**20, 40
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_VERSION = re.compile(r"\d{1,4}(?:\.[0-9A-Za-z]{1,12}){1,4}")
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SAVE = "Hand in the .zip as model.save('model.zip') of Stable-Baselines3's PPO wrote it."


@dataclass(frozen=True, slots=True)
class SavedModel:
    """The bytes of a saved PPO, and the version of Stable-Baselines3 that wrote them."""

    data: bytes
    version: str

    @property
    def description(self) -> str:
        """What is shown in its place."""
        size = len(self.data) / 1000
        return f"a saved model, {size:.0f} kB, sha256 {sha256(self.data).hexdigest()}"


def is_archive(data: bytes) -> bool:
    """Whether the bytes are a zip archive by their first ones, and so no notebook."""
    return data.startswith(_START)


def read_saved_model(data: bytes) -> SavedModel:
    """Return the saved model in ``data``.

    Raises ``TooLargeError`` over 8 MiB (64 MiB unpacked), ``InvalidModelError`` for whatever
    Stable-Baselines3's PPO does not write.
    """
    if len(data) > MAX_BYTES:
        _too_large(f"{len(data) / 2**20:.1f} MiB", MAX_BYTES)
    _check_end(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            version = _part(archive, "_stable_baselines3_version", _MAX_VERSION_BYTES)
            settings = _part(archive, "data", _MAX_DATA_BYTES)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        msg = f"model: the archive is damaged. {_SAVE}"
        raise InvalidModelError(msg, field="model") from error
    _check_settings(settings)
    written_by = version.decode("ascii", errors="replace").strip()
    if not _VERSION.fullmatch(written_by):
        _refuse("_stable_baselines3_version in it is no version")
    return SavedModel(data, written_by)


def _refuse(problem: str) -> NoReturn:
    msg = f"model: {problem}. {_SAVE}"
    raise InvalidModelError(msg, field="model")


def _too_large(size: str, limit: int) -> NoReturn:
    msg = f"model: {size} is over the limit of {limit // 2**20} MiB. Train a smaller network."
    raise TooLargeError(msg, field="model")


def _check_end(data: bytes) -> None:
    """Bound the table before it is read: its entries cost ten times their size in memory."""
    end = data[-_END_BYTES:]
    if not is_archive(data) or not end.startswith(_END) or end[-2:] != b"\x00\x00":
        _refuse("this is not a whole zip archive")
    if data[-_END_BYTES - 20 :].startswith(_END_64):
        _refuse("the archive is of a kind that is not needed for its size")
    if int.from_bytes(end[12:16], "little") > _MAX_TABLE_BYTES:
        _refuse(f"there are more than {_MAX_ENTRIES} files in it")


def _check_entries(entries: Sequence[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(entries) > _MAX_ENTRIES:
        _refuse(f"there are more than {_MAX_ENTRIES} files in it")
    for entry in entries:
        name = entry.filename[:80]
        if not _NAME.fullmatch(entry.filename):
            _refuse(f"{name!r} in it is not a plain name of a file")
        if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}:
            _refuse(f"{name!r} in it is a link or no file")
        if entry.flag_bits & 0x1 or entry.compress_type not in _METHODS:
            _refuse(f"{name!r} in it is encrypted or packed in an unknown way")
        if entry.file_size > _MAX_RATIO * max(entry.compress_size, 1):
            _refuse(f"{name!r} in it grows more than {_MAX_RATIO} times when it is unpacked")
    if len(set(names)) != len(names):
        _refuse("it holds two files of the same name")
    for part in _PARTS:
        if part not in names:
            _refuse(f"it holds no {part}")
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES:
        _too_large(f"{unpacked / 2**20:.0f} MiB unpacked", MAX_UNPACKED_BYTES)


def _part(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with archive.open(name) as file:
        found = file.read(limit + 1)
    if len(found) > limit:
        _refuse(f"{name!r} in it is over {limit:,} bytes")
    return found


def _check_settings(text: bytes) -> None:
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        _refuse("'data' in it is not JSON")
    # The algorithm's name is not in there, but no other one of Stable-Baselines3 clips.
    if not isinstance(settings, dict) or not {"clip_range", "n_steps"} <= settings.keys():
        _refuse("it is not a PPO")
