"""What PPO does in an update, sample by sample, while a run goes on and afterwards."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import traitlets

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.training import Minibatch, Rewind
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.minibatches import MinibatchReader
from jupyter_ppo.training.run import Run
from jupyter_ppo.widgets.base import PPOWidget
from jupyter_ppo.widgets.inside_picture import minibatch_svg
from jupyter_ppo.widgets.picture import run_title

_LOOK_SECONDS: Final = 0.25
#: The saved picture is drawn anew at most so often.
_PICTURE_SECONDS: Final = 30.0
#: Minibatches of one message: 1 MiB of samples at most.
_AT_ONCE: Final = 512

_OLD: Final = (
    "This run has no samples of its updates: it was trained by an earlier version. "
    "Train it again to look inside."
)
_OWN_LOOP: Final = (
    "This loop logs no samples yet. Once per update, call run.minibatch(step, ratios=..., "
    "advantages=..., clip_range=...) with the ratios and advantages of one minibatch."
)
_AFTER: Final = (
    "The ratios are those under the policy after the update; before it all were\u00a01. Clip "
    "fraction and KL in the charts are means while an update was under way, so they differ a "
    "little."
)
_AS_LOGGED: Final = "The ratios and advantages are as the loop has logged them."
_WAITING: Final = "The first update has not been made yet."
_NO_UPDATE: Final = "This run ended before its first update."


class InsidePPO(PPOWidget):
    """The clipped objective of one update after the other, for samples of its rollout.

    Follows the run until it is closed, also when the run is resumed elsewhere. All samples are
    sent to a page once, so that scrubbing through updates needs no kernel.
    """

    _kind = traitlets.Unicode("inside").tag(sync=True)
    title = traitlets.Unicode().tag(sync=True)
    #: Why there is nothing to be seen; "" when there is
    note = traitlets.Unicode().tag(sync=True)
    #: What the samples are, in words
    about = traitlets.Unicode().tag(sync=True)
    #: Whether advantages are normalised: mean 0, standard deviation 1
    normalised = traitlets.Bool(False).tag(sync=True)
    #: Switches as the reader set them: compares, keepsAxes
    settings: traitlets.Dict[Any, Any] = traitlets.Dict().tag(sync=True)

    def __init__(self, run: Run | Path | str) -> None:
        """Show a run, or the run in a directory; raise as ``open_run`` and ``PPOWidget`` do."""
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="ppo-inside", daemon=True)
        self._run = run if isinstance(run, Run) else open_run(run)
        self._reader = MinibatchReader(self._run.files.minibatches_file)
        self._items: list[Minibatch | Rewind] = []
        self._newest: Minibatch | None = None
        self._drawn: Minibatch | None = None
        self._drawn_at = -_PICTURE_SECONDS
        self._lock = threading.RLock()
        self._has_own_loop = self._run.files.is_own_loop()
        super().__init__(
            title=run_title(self._run),
            about=_AS_LOGGED if self._has_own_loop else _AFTER,
            normalised=self._run.spec.normalize_advantage and not self._has_own_loop,
            settings={"compares": False, "keepsAxes": True},
        )
        self.look()
        atexit.register(self._stop)
        self._thread.start()

    def __repr__(self) -> str:
        newest = self._newest
        found = f"update {newest.update:,} at step {newest.step:,}" if newest else self.note
        return f"<InsidePPO {self.title.removeprefix('PPO on ')}: {found}>"

    def _repr_mimebundle_(self, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the view, and for a notebook without its kernel the picture and the text."""
        found = super()._repr_mimebundle_(**options)
        bundle, metadata = found if isinstance(found, tuple) else (found or {}, {})
        bundle = {**bundle, "text/plain": repr(self)}
        if self.picture:
            bundle["image/svg+xml"] = self.picture
        return bundle, metadata

    @property
    def run(self) -> Run:
        """The run that is shown."""
        return self._run

    def look(self) -> None:
        """Read what the run has written since the last look, and send it."""
        with self._lock:
            start = len(self._items)
            self._items += self._reader.read()
            for item in self._items[start:]:
                if isinstance(item, Minibatch):
                    self._newest = item
            if len(self._items) > start:
                self._give(start)
            self.note = self._why_nothing()
            self._draw()

    def answer(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        """Give a view what it lacks: everything from the item with the number ``from`` on."""
        start = content.get("from", 0)
        if content.get("type") == "history" and type(start) is int:
            with self._lock:
                self._give(max(start, 0))

    def close(self) -> None:
        """Remove the view and stop following; the training itself goes on."""
        self._stop()
        super().close()

    def _give(self, start: int) -> None:
        """Send all items from a number on. Views that have some of them take the rest."""
        for first in range(start, len(self._items), _AT_ONCE):
            items = self._items[first : first + _AT_ONCE]
            data = b"".join(
                item.ratios.tobytes() + item.advantages.tobytes()
                for item in items
                if isinstance(item, Minibatch)
            )
            operations = [_operation(item) for item in items]
            self.send({"type": "minibatches", "start": first, "ops": operations}, [data])

    def _why_nothing(self) -> str:
        if self._items:
            return ""
        if self._has_own_loop:
            return _OWN_LOOP
        if not self._run.files.minibatches_file.exists():
            return _OLD if self._run.files.spec_file.exists() else "The run was removed."
        return _NO_UPDATE if self._run.state().has_ended else _WAITING

    def _draw(self) -> None:
        now = time.monotonic()
        newest = self._newest
        if newest is None or newest is self._drawn or now - self._drawn_at < _PICTURE_SECONDS:
            return
        self._drawn, self._drawn_at = newest, now
        self.picture = minibatch_svg(self.title, newest)

    def _follow(self) -> None:
        while not self._closed.wait(_LOOK_SECONDS):
            try:
                self.look()
            except (PPOError, OSError) as error:  # removed or damaged: the view says so
                self.note = str(error) if not self._items else ""

    def _stop(self) -> None:
        atexit.unregister(self._stop)
        self._closed.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(1)


def _operation(item: Minibatch | Rewind) -> dict[str, Any]:
    if isinstance(item, Rewind):
        return {"rewind": item.step}
    return {
        "step": item.step,
        "update": item.update,
        "clipRange": item.clip_range,
        "rolloutSize": item.rollout_size,
        "count": len(item.ratios),
    }
