"""What an export says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ExportReport:
    """A policy that was written to ``path`` and compared with its checkpoint.

    Both were given ``observations`` observations, drawn from the space and shown by the
    environment. ``max_difference`` is the largest one between their logits or means (ONNX) or their
    actions (SB3); ``same_actions``: every action was the same, continuous ones to 1e-4 of their
    range. An export that acts differently raises instead, and writes nothing.
    """

    path: Path
    step: int
    weights_sha256: str
    observations: int
    max_difference: float
    same_actions: bool
    also_written: tuple[Path, ...] = ()

    def __str__(self) -> str:
        files = ", ".join(str(path) for path in (self.path, *self.also_written))
        return (
            f"{files}: the policy after {self.step} steps. Same actions as the checkpoint for "
            f"{self.observations} observations, largest difference {self.max_difference:.2g}."
        )
