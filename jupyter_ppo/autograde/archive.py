"""Files of an uploaded zip archive, read in memory without trusting anything that it says.

Nothing is written to a disk and no archive inside it is opened. The archive's table is bounded
before it is read, and each file is unpacked against a budget of bytes, so that neither a lying
header nor overlapping files can make more of it than the limits allow.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NoReturn

from jupyter_ppo.domain.entries import (
    MAX_FILE_BYTES,
    MAX_FILE_NAME,
    MAX_FILES,
    check_file_names,
    checked_file_name,
)
from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError

_START, _END, _END_64 = b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES, _END_64_BYTES = 22, 20
#: Bytes of the table for one file: its fixed part, its name in UTF-8, and fields of the system's.
_TABLE_BYTES_PER_FILE = 46 + 4 * MAX_FILE_NAME + 256
#: Folders have lines in the table too, and some systems add files of their own.
_MAX_LINES = 4 * MAX_FILES
_MAX_RATIO = 100
#: Below this size a file may be packed as well as it likes, such as a table of zeros.
_RATIO_FREE_BYTES = 2**20
_CHUNK = 64 * 2**10
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
#: What systems put into archives beside the files that were chosen.
_SYSTEM_FOLDERS, _SYSTEM_FILES = ("__MACOSX",), (".DS_Store", "Thumbs.db", "desktop.ini")
#: How archives begin, and where.
_ARCHIVES = (
    (0, _START),
    (0, _END),
    (0, b"\x1f\x8b"),
    (0, b"BZh"),
    (0, b"\xfd7zXZ\x00"),
    (0, b"7z\xbc\xaf\x27\x1c"),
    (0, b"Rar!\x1a\x07"),
    (0, b"\x28\xb5\x2f\xfd"),
    (257, b"ustar"),
)
_AGAIN = "Pack the files again with the system's own zip."


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file: its name, with folders parted by ``/``, and its bytes."""

    name: str
    data: bytes


def read_archive(
    data: bytes, *, max_files: int = MAX_FILES, max_bytes: int = MAX_FILE_BYTES
) -> tuple[ArchivedFile, ...]:
    """Return the files of a zip archive in its order; ``max_bytes`` is for all of them unpacked.

    Files of the system (``__MACOSX``, ``.DS_Store``) are left out. Raises ``TooLargeError`` over a
    limit and ``InvalidInputError`` (field ``archive``) for everything that is not a plain archive
    of plain files: traversal, absolute names, backslashes, links, devices, encryption, archives in
    it, names that collide, a packing of more than 1 to 100, or damage.
    """
    _check_end(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            chosen = _checked_lines(archive.infolist(), max_files, max_bytes)
            return tuple(_unpacked(archive, chosen, max_bytes))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        _refuse("the archive is damaged", error)
    except (ValueError, RuntimeError, OSError) as error:  # what a forged line can make of zipfile
        _refuse("the archive cannot be read", error)


def _refuse(problem: str, cause: BaseException | None = None) -> NoReturn:
    msg = f"archive: {problem}. {_AGAIN}"
    raise InvalidInputError(msg, field="archive") from cause


def _too_large(problem: str) -> NoReturn:
    msg = f"archive: {problem}. Leave some files out."
    raise TooLargeError(msg, field="archive")


def _check_end(data: bytes) -> None:
    """Bound the table before it is read, for each of its lines costs memory; refuse what is round.

    A whole archive begins with its first file and ends with its table, without a comment.
    """
    if data.startswith(_END):
        _refuse("there is no file in it")
    end = data[-_END_BYTES:]
    if not data.startswith(_START) or not end.startswith(_END) or end[20:] != b"\x00\x00":
        _refuse("this is not a whole zip archive without a comment")
    before = data[-_END_BYTES - _END_64_BYTES : -_END_BYTES]
    if before.startswith(_END_64):
        _refuse("it is of the kind for archives over 4 GiB")
    disks, lines = end[4:8], int.from_bytes(end[10:12], "little")
    size, offset = int.from_bytes(end[12:16], "little"), int.from_bytes(end[16:20], "little")
    if disks != b"\x00" * 4 or offset + size != len(data) - _END_BYTES:
        _refuse("it is a part of an archive, or something stands before or in it")
    if lines > _MAX_LINES or size > _MAX_LINES * _TABLE_BYTES_PER_FILE:
        _too_large(f"there are more than {_MAX_LINES} names in it")


def _checked_lines(
    lines: Sequence[zipfile.ZipInfo], max_files: int, max_bytes: int
) -> list[zipfile.ZipInfo]:
    if len(lines) > _MAX_LINES:  # the number at the end may have been a lie
        _too_large(f"there are more than {_MAX_LINES} names in it")
    for line in lines:
        _check_line(line)
    files = [line for line in lines if not line.is_dir() and not _is_of_system(line.filename)]
    if not files:
        _refuse("there is no file in it")
    if len(files) > max_files:
        _too_large(f"there are {len(files)} files in it, and {max_files} may be")
    check_file_names((line.filename for line in files), "archive")
    told = sum(line.file_size for line in files)
    if told > max_bytes:
        _too_large(f"unpacked it is {told / 2**20:.1f} MiB, and {max_bytes / 2**20:g} may be")
    return files


def _is_of_system(name: str) -> bool:
    first, _, rest = name.partition("/")
    is_inside = first in _SYSTEM_FOLDERS and bool(rest)
    return is_inside or name.rpartition("/")[2] in _SYSTEM_FILES


def _check_line(line: zipfile.ZipInfo) -> None:
    # zipfile cuts a name at NUL; the one that it came with tells.
    if "\x00" in line.orig_filename or "\\" in line.orig_filename:
        _refuse(f"{line.orig_filename[:80]!r} in it is not a plain name")
    checked_file_name(line.filename.removesuffix("/"), "archive")
    name, kind = line.filename[:80], stat.S_IFMT(line.external_attr >> 16)
    if line.is_dir():
        if kind not in {0, stat.S_IFDIR} or line.file_size:
            _refuse(f"{name!r} in it is no folder")
    elif kind not in {0, stat.S_IFREG}:
        _refuse(f"{name!r} in it is a link or a device")
    # Bits 0, 5, 6 and 13: encrypted, patched, strongly encrypted, with a masked header.
    if line.flag_bits & 0x2061:
        _refuse(f"{name!r} in it is encrypted")
    if line.compress_type not in _METHODS:
        _refuse(f"{name!r} in it is packed in an unknown way")
    is_large = line.file_size > _RATIO_FREE_BYTES
    if is_large and line.file_size > _MAX_RATIO * max(line.compress_size, 1):
        _refuse(f"{name!r} in it grows more than {_MAX_RATIO} times when it is unpacked")


def _unpacked(
    archive: zipfile.ZipFile, files: Sequence[zipfile.ZipInfo], budget: int
) -> Iterator[ArchivedFile]:
    left = budget
    for line in files:
        found = bytearray()
        with archive.open(line) as file:
            while chunk := file.read(min(_CHUNK, left + 1)):
                found += chunk
                left -= len(chunk)
                if left < 0:
                    _too_large(f"unpacked it is over {budget / 2**20:g} MiB")
        data = bytes(found)
        if any(data[at : at + len(start)] == start for at, start in _ARCHIVES):
            msg = (
                f"archive: {line.filename[:80]!r} in it is an archive itself, which is not opened. "
                "Put its files in its place, or hand it in beside the others without packing."
            )
            raise InvalidInputError(msg, field="archive")
        yield ArchivedFile(line.filename, data)
