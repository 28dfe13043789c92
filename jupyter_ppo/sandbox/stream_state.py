"""What is known of a byte stream between two readers of it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from jupyter_ppo.sandbox.frames import MAX_FRAME, Decoder, EngineStream, Frame


@dataclass
class StreamState:
    """What was read of a stream and not used yet, and what is still to be written.

    ``is_ready`` says whether the agent has said that it waits for an order.
    """

    chunks: EngineStream = field(default_factory=EngineStream)
    decoder: Decoder = field(default_factory=lambda: Decoder(max_frame=MAX_FRAME))
    frames: deque[Frame] = field(default_factory=deque)
    outgoing: deque[memoryview] = field(default_factory=deque)
    is_ready: bool = False
