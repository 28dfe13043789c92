"""A small archive that unpacks to very much, in place of a notebook."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from attack_corpus import STANDARD, right

from jupyter_ppo.domain.errors import InvalidInputError

if TYPE_CHECKING:
    from attack_here import Here
    from attack_nbgrader import Course

#: Unpacked, of 30 kB: enough to see whether anybody counts.
SIZE = 30 * 2**20


def bomb() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("eve_attempt_2026-01-01-00-00-00_p.ipynb", b" " * SIZE)
    return data.getvalue()


def on_nbgrader(course: Course) -> str:
    home = course.folder / "downloaded" / "ps1" / "archive"
    home.mkdir(parents=True)
    (home / "all.zip").write_bytes(bomb())
    course("zip_collect", "ps1")
    written = sum(path.stat().st_size for path in course.folder.rglob("*p.ipynb"))
    return f"unpacked to {written // 2**20} MiB" if written > SIZE else ""


def here(place: Here) -> str:
    assignment = place.release(STANDARD)
    deep = b'{"nbformat": 4, "cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    large = right().notebook[:-1] + b" " * (26 * 2**20) + b"}"
    for data in (bomb(), deep, large):
        try:
            place.submit("eve", assignment, data)
        except InvalidInputError:
            continue
        return "it is taken"
    return ""
