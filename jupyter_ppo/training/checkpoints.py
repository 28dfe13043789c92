"""Checkpoints: zip files, complete or absent, whose every part is checked when it is read.

::

    000000051200.ckpt     meta.json   step, update, digests of the parts, what the trainer adds
                          meta.sig    the user's signature of meta.json, and so of every part
                          weights.pt, optimizer.pt, ...   the parts, whatever the trainer gives

Nothing here knows torch or unpickles.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.errors import DamagedFileError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.training import CheckpointInfo
from jupyter_ppo.training import trust
from jupyter_ppo.training.lines import replace_file, sweep_temporary

_Infos = list[CheckpointInfo]
_Steps = list[int]

_FORMAT: Final = 1
_NAME: Final = re.compile(r"([0-9]{12})\.ckpt")
_META, _SIGNATURE = "meta.json", "meta.sig"
_META_BYTES: Final = 1024 * 1024
_ASIDE: Final = ".damaged"
#: Zip's own earliest date: equal checkpoints are equal files, and no clock is needed.
_DATE: Final = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that was read whole, its digests checked.

    ``skipped`` has one sentence for each newer one that is damaged.
    """

    path: Path
    info: CheckpointInfo
    extra: Mapping[str, Any]
    parts: Mapping[str, bytes] = field(repr=False)
    meta: bytes = field(repr=False)
    signature: str = field(repr=False)
    skipped: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether this user signed it, so that its pickles may be read."""
        return trust.is_ours(self.meta, self.signature, trust.Purpose.CHECKPOINT)

    def part(self, name: str) -> bytes:
        """Return a part that is safe to read; raise ``DamagedFileError`` when it is missing."""
        if name not in self.parts:
            msg = f"{self.path.name}: the checkpoint has no part {name}; use another checkpoint."
            raise DamagedFileError(msg, field="checkpoint")
        return self.parts[name]

    def trusted_part(self, name: str) -> bytes:
        """Return a part that holds a pickle; raise ``UntrustedRunError`` unless it is ours."""
        data = self.part(name)
        trust.require_ours(self.meta, self.signature, self.path, trust.Purpose.CHECKPOINT)
        return data


class CheckpointStore:
    """The checkpoints in a folder, which is made by the first one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, step: int) -> Path:
        """Return where the checkpoint of ``step`` is or would be."""
        return self._folder / f"{step:012d}.ckpt"

    def write(
        self,
        step: int,
        update: int,
        parts: Mapping[str, bytes],
        *,
        weights_sha256: str,
        is_exact: bool,
        reason: str = "",
        extra: Mapping[str, Any] | None = None,
    ) -> CheckpointInfo:
        """Write a checkpoint durably; one of the same step is replaced.

        ``extra`` is plain data for JSON. Raises ``OSError`` when there is no room: then the ones
        before are as they were.
        """
        meta = {
            "format_version": _FORMAT,
            "step": step,
            "update": update,
            "created_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "weights_sha256": weights_sha256,
            "is_exact": is_exact,
            "reason": reason,
            "extra": dict(extra or {}),
            "parts": {
                name: {"sha256": trust.digest(data), "bytes": len(data)}
                for name, data in parts.items()
            },
        }
        meta_bytes = json.dumps(meta).encode()
        self._folder.mkdir(exist_ok=True)
        self._write(step, meta_bytes, parts)
        return _info(meta, self.path(step).stat().st_size)

    def list(self) -> _Infos:
        """Return those whose description can be read, oldest first; parts are not checked."""
        found = []
        for step in self._steps():
            try:
                meta, size, _ = self._open(step, with_parts=False)
            except (DamagedFileError, NotFoundError):
                continue
            found.append(_info(meta, size))
        return found

    def read(self, step: int) -> Checkpoint:
        """Return a checkpoint, checked; raise ``NotFoundError`` or ``DamagedFileError``."""
        meta, size, contents = self._open(step, with_parts=True)
        signature = contents.pop(_SIGNATURE, b"").decode(errors="replace")
        meta_bytes = contents.pop(_META)
        return Checkpoint(
            path=self.path(step),
            info=_info(meta, size),
            extra=dict(meta["extra"]),
            parts=contents,
            meta=meta_bytes,
            signature=signature,
        )

    def newest(self, *, set_aside: bool = False) -> Checkpoint | None:
        """Return the newest one that is whole, with a sentence for each newer one; None for none.

        ``set_aside`` renames the newer, damaged ones, so that they are not taken for the newest
        again: for a worker that goes on from the one returned. When all are damaged it raises
        ``InvalidInputError``: the run had got somewhere, and must not begin again by mistake.
        """
        skipped = []
        for step in reversed(self._steps()):
            try:
                found = self.read(step)
            except NotFoundError:
                continue
            except DamagedFileError as error:
                skipped.append(error.message)
                if set_aside:
                    path = self.path(step)
                    path.replace(path.with_name(path.name + _ASIDE))
                continue
            return replace(found, skipped=tuple(skipped))
        if set_aside and (aside := sorted(self._folder.glob(f"*.ckpt{_ASIDE}"))):
            names = ", ".join(path.name for path in aside)
            msg = (
                f"checkpoint: all checkpoints of this run are damaged ({names} in {self._folder}), "
                "so it cannot go on. Start a new run; or, to begin this one again from step 0, "
                f"delete the folder {self._folder.name} in it and resume."
            )
            raise InvalidInputError(msg, field="checkpoint")
        return None

    def prune(self, keep: int) -> None:
        """Delete all but the newest ``keep``, and what was set aside or left unfinished."""
        for step in self._steps()[:-keep]:
            self.path(step).unlink(missing_ok=True)
        for path in self._folder.glob(f"*.ckpt{_ASIDE}"):
            path.unlink(missing_ok=True)
        sweep_temporary(self._folder)

    def sign_again(self, step: int) -> None:
        """Sign a checkpoint that somebody else wrote; raises as ``read`` does."""
        _, _, contents = self._open(step, with_parts=True)
        contents.pop(_SIGNATURE, None)
        self._write(step, contents.pop(_META), contents)

    def _write(self, step: int, meta: bytes, parts: Mapping[str, bytes]) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, data in {
                _META: meta,
                _SIGNATURE: trust.sign(meta, trust.Purpose.CHECKPOINT).encode(),
                **parts,
            }.items():
                archive.writestr(zipfile.ZipInfo(name, _DATE), data)
        replace_file(self.path(step), buffer.getvalue())

    def _steps(self) -> _Steps:
        try:
            names = [path.name for path in self._folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))

    def _open(self, step: int, *, with_parts: bool) -> tuple[dict[str, Any], int, dict[str, bytes]]:
        """Return meta, the file's size, and the contents with meta and signature, or none."""
        path = self.path(step)
        try:
            size = path.stat().st_size
            with zipfile.ZipFile(path) as archive:
                entries = {entry.filename: entry for entry in archive.infolist()}
                if entries[_META].file_size > _META_BYTES or any(
                    entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()
                ):
                    raise ValueError(_META)
                if sum(entry.file_size for entry in entries.values()) > size:
                    raise ValueError(_META)  # entries that overlap: a small file, a large memory
                meta_bytes = archive.read(_META)
                meta = _checked(json.loads(meta_bytes), step)
                contents = {}
                if with_parts:
                    contents = {_META: meta_bytes, _SIGNATURE: archive.read(_SIGNATURE)}
                    for name, expected in meta["parts"].items():
                        data = archive.read(name)
                        if trust.digest(data) != expected["sha256"]:
                            raise ValueError(name)
                        contents[name] = data
        except FileNotFoundError:
            msg = f"step: this run has no checkpoint of step {step}."
            raise NotFoundError(msg, field="step") from None
        except (
            OSError,
            zipfile.BadZipFile,
            ValueError,
            KeyError,
            TypeError,
            RuntimeError,
            OverflowError,
        ) as error:
            why = type(error).__name__ if isinstance(error, KeyError | TypeError) else str(error)
            msg = (
                f"{path.name}: this checkpoint is damaged ({why[:80]}). An earlier one is used in "
                "its place; delete the file to be rid of it."
            )
            raise DamagedFileError(msg, field="checkpoint") from None
        return meta, size, contents


def _checked(meta: Any, step: int) -> dict[str, Any]:
    if (
        not isinstance(meta, dict)
        or meta["format_version"] != _FORMAT
        or meta["step"] != step
        or not isinstance(meta["extra"], dict)
        or {_META, _SIGNATURE} & set(meta["parts"])
    ):
        raise ValueError(_META)
    _info(meta, 0)
    return meta


def _info(meta: Mapping[str, Any], size: int) -> CheckpointInfo:
    return CheckpointInfo(
        step=int(meta["step"]),
        update=int(meta["update"]),
        created_at=datetime.fromisoformat(meta["created_at"]),
        size_bytes=size,
        weights_sha256=str(meta["weights_sha256"])[:64],
        is_exact=bool(meta["is_exact"]),
        reason=str(meta["reason"])[:1000],
    )
