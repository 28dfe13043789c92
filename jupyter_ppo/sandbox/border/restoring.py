"""Makes a value look like its changed copy, in place: what plain Python would have done to it."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

from jupyter_ppo.sandbox.border.wire import WireError

_CONTAINERS: Final = (list, dict, set, deque, bytearray)


def restore(old: Any, new: Any) -> None:
    """Give ``old`` the contents of ``new``.

    Raises ``WireError`` when no change in place can have led there, and ``ValueError`` when ``old``
    is an array that must not be written to.
    """
    kind = type(old)
    if kind is not type(new):
        msg = "A changed argument came back as another type."
        raise WireError(msg)
    if kind is list:
        for at, (before, after) in enumerate(zip(old, new, strict=False)):
            if _is_changed_in_place(before, after):
                restore(before, after)
                new[at] = before
        old[:] = new
    elif issubclass(kind, dict):
        for key, after in new.items():
            before = old.get(key)
            if _is_changed_in_place(before, after):
                restore(before, after)
                new[key] = before
        old.clear()
        dict.update(old, new)
    elif kind is deque:
        old.clear()
        old.extend(new)
    elif kind is set:
        old.clear()
        old.update(new)
    elif kind is bytearray:
        old[:] = new
    elif kind.__name__ == "ndarray":
        if old.shape != new.shape or old.dtype != new.dtype:
            msg = "A changed array came back with another shape or dtype."
            raise WireError(msg)
        old[...] = new
    elif kind.__name__ in {"Tensor", "Parameter"}:
        if old.shape != new.shape or old.dtype != new.dtype:
            msg = "A changed tensor came back with another shape or dtype."
            raise WireError(msg)
        old.data.copy_(new)
    else:
        msg = "An argument that cannot be changed came back changed."
        raise WireError(msg)


def _is_changed_in_place(before: Any, after: Any) -> bool:
    """Whether an item inside is the same object still, as far as can be told."""
    kind = type(before)
    if kind is not type(after):
        return False
    if kind in _CONTAINERS or issubclass(kind, dict):
        return True
    if kind.__name__ in {"ndarray", "Tensor", "Parameter"}:
        return bool(before.shape == after.shape and before.dtype == after.dtype)
    return False
