"""One line of 12 MB, which a limit on lines lets pass into the notebook and the page."""

from __future__ import annotations

from pathlib import Path

from attack_corpus import Seen, Variant, wrong

KEPT = 9 * 2**20


def variants(folder: Path) -> list[Variant]:
    return [wrong("print('x' * 12_000_000)")]


def harm(folder: Path, seen: Seen) -> str:
    size = max(len(seen.notebook), len(seen.page))
    return f"{size / 2**20:.0f} MiB of it are kept" if size > KEPT else ""
