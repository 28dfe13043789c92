"""All items of a list that the stores give out in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from jupyter_ppo.domain.ports import Page

T = TypeVar("T")


def every_page(fetch: Callable[[int], Page[T]]) -> Iterator[T]:
    """Yield the items of all pages; ``fetch`` gets the offset of a page."""
    offset = 0
    while True:
        page = fetch(offset)
        yield from page.items
        offset += len(page.items)
        if not page.items or offset >= page.total:
            return
