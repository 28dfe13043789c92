"""How a kernel ends, and what it may send until then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from jupyter_ppo.sandbox.frames import MAX_FRAME

#: The only part of a message that no kernel sends: it is not a Jupyter message.
END_MARK: Final = b"jupyter-ppo: the kernel has ended"
#: Characters of an agent's own errors that are logged.
LOGGED: Final = 4000


class Cause(StrEnum):
    """Why a kernel ended."""

    EXITED = "exited"  # the process ended; ``code`` as in subprocess, negative for a signal
    MEMORY = "memory"
    MESSAGES = "messages"  # too many of them
    WALL = "wall"  # the agent's own clock
    OUTPUT = "output"  # too many bytes
    PROTOCOL = "protocol"
    LOST = "lost"  # the stream ended and the agent said nothing
    STOPPED = "stopped"  # by us


@dataclass(frozen=True, slots=True)
class KernelEnd:
    """The end of a kernel. ``detail`` is a part of a sentence for a person, or empty."""

    cause: Cause
    code: int
    detail: str = ""

    @property
    def described(self) -> str:
        """The end as the server's log tells it."""
        return f"{self.cause}, code {self.code}, {self.detail[-LOGGED:]!r}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a run may send to the server at most; None for no bound (a person's own kernel).

    ``mark_end`` publishes ``END_MARK`` after the last message of iopub, for a client that knows it.
    """

    total_bytes: int | None = None
    messages: int | None = None
    message_bytes: int = MAX_FRAME - 2**16
    mark_end: bool = False
