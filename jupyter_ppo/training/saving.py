"""What a run leaves: checkpoints, and at its end the model. Loads torch: only for workers."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from typing import Any

from stable_baselines3 import PPO

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import EventKind
from jupyter_ppo.training import snapshot, trust
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import replace_file
from jupyter_ppo.training.model import save_model, set_schedules
from jupyter_ppo.training.recorder import Recorder

#: An event that is still to be written: its kind, its message and its data.
Note = tuple[EventKind, str, dict[str, Any]]


def notes_of(extra: Mapping[str, Any]) -> list[Note]:
    """Return the notes of a checkpoint that somebody may have been killed before writing."""
    return [(EventKind(kind), text, data) for kind, text, data in extra.get("notes", ())]


class Saver:
    """Takes and writes the states of one run. ``is_dirty``: changed without a step since."""

    def __init__(self, files: RunDirectory, first_spec: RunSpec) -> None:
        self.is_dirty = False
        #: Seconds that the last ``take`` needed.
        self.keeping_seconds = 0.0
        self._files = files
        self._first_spec = first_spec
        self._store = files.checkpoints()
        self._saved_at = 0.0

    def begin(self, seconds: float) -> None:
        """Go on from a checkpoint that was written at ``seconds`` of the run."""
        self._saved_at = seconds

    def is_due(self, recorder: Recorder, every: float) -> bool:
        """Whether it is time for a checkpoint."""
        return self.is_dirty or recorder.clock.seconds() - self._saved_at >= every

    def take(
        self, model: PPO, progress: snapshot.Progress, recorder: Recorder
    ) -> snapshot.Boundary:
        """Take the state of the run, which must be between two rollouts."""
        progress.seconds = recorder.clock.seconds()
        began = time.perf_counter()
        boundary = snapshot.take_boundary(model, progress, progress.inexact)
        self.keeping_seconds = time.perf_counter() - began
        return boundary

    def save(
        self,
        boundary: snapshot.Boundary,
        model: PPO,
        spec: RunSpec,
        progress: snapshot.Progress,
        recorder: Recorder,
        commands_offset: int,
        notes: Sequence[Note] = (),
    ) -> None:
        """Write a checkpoint, after everything that was measured before it.

        Commands before ``commands_offset`` are part of it, or need not be followed any more.
        ``notes`` are to be told of once it is written, be it by the next worker.
        """
        recorder.flush(durable=True)
        self._store.write(
            boundary.step,
            boundary.update,
            snapshot.parts_of(model, boundary),
            weights_sha256=snapshot.weights_sha256(model.policy),
            is_exact=not boundary.reason,
            reason=boundary.reason,
            extra={
                "spec": self._first_spec.to_dict(),
                "changes": progress.changes,
                "total_steps": spec.planned_steps,
                "seconds": round(progress.seconds, 6),
                "commands_offset": commands_offset,
                "notes": [[kind.value, text, data] for kind, text, data in notes],
                **snapshot.circumstances(spec),
            },
        )
        self._store.prune(spec.checkpoint_keep)
        recorder.checkpoint_step = boundary.step
        self._saved_at = recorder.clock.seconds()
        self.is_dirty = False

    def write_model(self, boundary: snapshot.Boundary, model: PPO, spec: RunSpec) -> None:
        """Write the model as it is, with its normalisation."""
        files, step = self._files, boundary.step
        set_schedules(model, spec.learning_rate_at(step), spec.clip_range_at(step))
        file = io.BytesIO()
        save_model(model, file)
        data = file.getvalue()
        replace_file(files.model_file, data)
        trust.write_signature(data, files.model_signature_file, trust.Purpose.MODEL)
        if boundary.normalisation is not None:
            replace_file(files.normalisation_file, boundary.normalisation)
