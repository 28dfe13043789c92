"""What our own widgets have in common: a small text in the notebook, the code from the kernel."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

import anywidget
import traitlets

from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.widgets.message_route import keep_route

_HERE: Final = Path(__file__).parent
_STATIC: Final = _HERE / "static"
_BUILT: Final = ("live.js", "live.css")
#: A page that waits asks again; what lay in the queue of a busy kernel is answered once.
_SAME_REQUEST_SECONDS: Final = 2.0
_PAGES_AT_MOST: Final = 1000


class PPOWidget(anywidget.AnyWidget):
    """A widget of this package. ``_kind`` names its view in the bundle of all views.

    anywidget saves the text of the view in each widget's state, hence in each notebook. Ours is a
    loader of 3 kB (loader.js), which asks for the bundle when the page does not have it yet.
    ``picture`` is an SVG text that is seen until then, and in places without a kernel.

    Raises ``UnavailableError`` when the bundle was not built.
    """

    _esm = (_HERE / "loader.js").read_text("utf-8")

    _kind = traitlets.Unicode().tag(sync=True)
    _code = traitlets.Unicode().tag(sync=True)  # digest of the bundle
    picture = traitlets.Unicode().tag(sync=True)

    #: When a page was given the code, by the clock ``time.monotonic``. Shared by all widgets.
    _given: ClassVar[dict[str, float]] = {}

    def __init__(self, **traits: Any) -> None:
        digest, _ = _bundle(_STATIC)
        super().__init__(_code=digest, **traits)
        keep_route(self)
        self.on_msg(self._receive)

    def answer(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        """Answer a message of a view. May be called while a cell runs, in another thread."""

    def _receive(self, _widget: Any, content: Any, buffers: Sequence[memoryview]) -> None:
        if not isinstance(content, dict):
            return
        if content.get("type") == "code":
            self._give_code(str(content.get("from", ""))[:100])
        else:
            self.answer(content, buffers)

    def _give_code(self, to: str) -> None:
        now = time.monotonic()
        if now - self._given.get(to, -_SAME_REQUEST_SECONDS) < _SAME_REQUEST_SECONDS:
            return
        if len(self._given) >= _PAGES_AT_MOST:
            self._given.clear()
        self._given[to] = now
        digest, parts = _bundle(_STATIC)
        self.send({"type": "code", "hash": digest}, list(parts))


@cache
def _bundle(folder: Path) -> tuple[str, tuple[bytes, ...]]:
    """Return the digest and the bytes of live.js and live.css."""
    try:
        parts = tuple((folder / name).read_bytes() for name in _BUILT)
    except OSError as error:
        msg = (
            "The views of the widgets are not built, so nothing can be shown. In a checkout of the "
            "source run `jlpm build:widgets` in the folder labextension."
        )
        raise UnavailableError(msg, field="widgets") from error
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16], parts
