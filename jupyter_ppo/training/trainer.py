"""The trainer: Stable-Baselines3's rollouts and updates in a loop that can be left and resumed.

::

    boundary -> rollout -> update -> boundary -> ...

At a boundary the run is evaluated, commands are obeyed and checkpoints written; the state between
an update and the next rollout is all there is to save (see ``snapshot``). Loads torch: only the
worker imports this module.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import unwrap_vec_normalize

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.domain.training import (
    Command,
    EventKind,
    Metric,
    RunCommand,
    RunState,
)
from jupyter_ppo.training import divergence, snapshot
from jupyter_ppo.training.checkpoints import Checkpoint
from jupyter_ppo.training.control import Control, Phase
from jupyter_ppo.training.env_checks import env_code
from jupyter_ppo.training.environments import EnvFactory, make_training_envs, trial
from jupyter_ppo.training.evaluation_plan import EvaluationPlan
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.model import build_model, set_schedules
from jupyter_ppo.training.recorder import Recorder, RolloutWatch, TimedEnvs
from jupyter_ppo.training.saving import Note, Saver, notes_of

_POLL_SECONDS = 0.02
#: The state before a rollout is kept when rollouts take longer than this, so that a pause or a stop
#: need not wait for their end; never when that would take more than this share of the time.
_SLOW_SECONDS, _KEEPING_SHARE = 1.0, 0.005


class Trainer:
    """One run, from its spec or its newest checkpoint to its end."""

    def __init__(
        self,
        files: RunDirectory,
        spec: RunSpec,
        control: Control,
        env: EnvFactory | None = None,
    ) -> None:
        self._files = files
        self._first_spec = spec
        self._spec = spec  # with what was changed since
        self._control = control
        self._env = env
        self._store = files.checkpoints()
        self._saver = Saver(files, spec)
        self._evaluations = EvaluationPlan(files, control, env)
        self._progress = snapshot.Progress(next_evaluation=spec.eval_every)
        self._waiting: list[RunCommand] = []
        self._seen_offset = control.followed  # commands before it are part of the next checkpoint
        self._is_stopped = False
        self._told: frozenset[str] = frozenset()  # ids of commands that events answer
        self._boundary: snapshot.Boundary | None = None
        self._rollout_seconds = _SLOW_SECONDS + 1  # not known: the first one may be slow
        self._pause_seconds = 0.0
        self._recorder: Recorder
        self._model: PPO

    def run(self) -> RunState:
        """Train to an end and announce it; return the state.

        What it raises is the reason why the run FAILED: ``InvalidInputError`` for what the user
        gave and for divergence, ``UntrustedRunError`` for a checkpoint of somebody else.
        """
        torch.set_num_threads(self._spec.torch_threads)
        warnings: list[str] = []
        self._told = frozenset(
            str(event.data["id"])
            for event in self._files.read_events()
            if event.kind in {EventKind.CHANGED, EventKind.EXTENDED} and event.data.get("id")
        )
        envs = make_training_envs(
            self._spec, self._env, self._spec.seed, warnings.append, self._env_beat
        )
        try:
            checkpoint = self._store.newest(set_aside=True)
            inexact = ""
            if checkpoint is None:
                inexact = trial(self._spec, self._env, envs, self._env_beat)
            self._control.beat(Phase.START)  # loads parts of torch: seconds on a busy machine
            self._model = build_model(self._spec, envs)
            if checkpoint is None:
                self._begin(inexact)
            else:
                self._go_on(checkpoint)
            for warning in warnings:
                self._files.note(EventKind.WARNING, self._model.num_timesteps, warning)
            return self._train()
        except BaseException:
            if hasattr(self, "_recorder"):
                self._recorder.leave(self._model.num_timesteps)
            raise
        finally:
            if hasattr(self, "_recorder"):
                self._recorder.close()
            envs.close()

    def _env_beat(self) -> None:
        self._control.beat(Phase.ENV)

    def _begin(self, inexact: str) -> None:
        model = self._model
        self._progress.inexact = inexact
        states = [event.data.get("state") for event in self._files.read_events()]
        had_worker = RunState.RUNNING in states
        self._recorder = Recorder(self._files, self._progress, self._spec.planned_steps)
        self._recorder.rewind(0)
        self._reset_envs(model)
        self._recorder.announce(RunState.RUNNING)
        if had_worker:
            text = "No checkpoint had been written yet: the run begins again, with the same seed."
            self._files.note(EventKind.RESUMED, 0, text, is_exact=True, reasons=[])
        if inexact:
            text = f"If this run is interrupted, it will not go on bit for bit. {inexact}"
            self._files.note(EventKind.WARNING, 0, text)

    def _reset_envs(self, model: PPO) -> None:
        envs = snapshot.envs_of(model)
        self._env_beat()
        with env_code("reset() of the environment"):
            model._last_obs = envs.reset()  # type: ignore[assignment]
        self._control.beat(Phase.UPDATE)
        model._last_episode_starts = np.ones((envs.num_envs,), dtype=bool)
        norm = unwrap_vec_normalize(envs)
        if norm is not None:
            model._last_original_obs = norm.get_original_obs()
        model.ep_info_buffer = deque(maxlen=100)
        model.ep_success_buffer = deque(maxlen=100)

    def _go_on(self, checkpoint: Checkpoint) -> None:
        self._env_beat()
        self._progress, reasons = snapshot.restore(self._model, checkpoint, self._spec)
        self._control.beat(Phase.UPDATE)
        self._model.ep_success_buffer = deque(maxlen=100)
        self._spec = self._first_spec.changed(**self._progress.changes)
        self._model.ent_coef = self._spec.ent_coef
        self._recorder = Recorder(self._files, self._progress, self._spec.planned_steps)
        self._recorder.rewind(checkpoint.info.step)
        self._recorder.checkpoint_step = checkpoint.info.step
        self._saver.begin(self._progress.seconds)
        self._evaluations.adopt(self._spec, self._progress, self._recorder)
        for kind, note, data in notes_of(checkpoint.extra):
            if data.get("id") and data["id"] not in self._told:
                self._files.note(kind, checkpoint.info.step, note, **data)
        for sentence in checkpoint.skipped:
            self._files.note(EventKind.WARNING, checkpoint.info.step, sentence)
        how = " ".join(["Not bit for bit:", *reasons]) if reasons else "Bit for bit."
        text = f"The run goes on from the checkpoint at step {checkpoint.info.step}. {how}"
        facts = {"is_exact": not reasons, "reasons": reasons}
        self._files.note(EventKind.RESUMED, checkpoint.info.step, text, **facts)
        self._recorder.announce(RunState.RUNNING)

    def _train(self) -> RunState:
        while True:
            ended = self._at_boundary()
            if ended is not None:
                return ended
            if self._rollout():
                self._update()

    def _at_boundary(self) -> RunState | None:
        """Do what is done between two rollouts; return the state when the run has ended."""
        step = self._model.num_timesteps
        self._control.beat(Phase.UPDATE)
        self._recorder.tick(step)
        if self._boundary is not None:  # the rollout was left: what waits is for the next worker
            return self._end()
        self._evaluations.hold_when_due(
            self._model, self._spec, self._progress, self._recorder, self._must_end
        )
        self._look_for_commands()
        self._obey(can_change=True)
        ended = self._end()
        if ended is not None:
            return ended
        if step and self._saver.is_due(self._recorder, self._spec.checkpoint_seconds):
            self._save(self._take())
        if (
            self._rollout_seconds > _SLOW_SECONDS
            and self._saver.keeping_seconds <= _KEEPING_SHARE * self._rollout_seconds
        ):
            self._boundary = self._take()
        return None

    def _look_for_commands(self) -> None:
        self._waiting += self._control.commands()

    def _must_end(self) -> bool:
        self._look_for_commands()
        stops = (command.command is Command.STOP for command in self._waiting)
        return self._is_stopped or bool(self._control.end_reason) or any(stops)

    def _obey(self, *, can_change: bool) -> bool:
        """Obey what waits; block while paused. Return whether to go on with the rollout.

        In the middle of a rollout (not ``can_change``) changes keep waiting.
        """
        paused = False
        while True:
            kept: list[RunCommand] = []
            notes: list[Note] = []
            for command in self._waiting:
                match command.command:
                    case Command.STOP:
                        self._is_stopped = True
                    case Command.PAUSE if not paused:
                        paused = True
                        self._pause()
                    case Command.RESUME if paused:
                        paused = False
                        self._resume()
                    case Command.SET | Command.EXTEND if can_change:
                        notes += self._change(command)
                    case Command.SET | Command.EXTEND:
                        kept.append(command)
            self._waiting = kept
            if notes:
                # The change is told of when it can no longer be lost.
                self._save(self._take(), notes)
                for kind, text, data in notes:
                    self._files.note(kind, self._model.num_timesteps, text, **data)
            if self._is_stopped or self._control.end_reason or not paused:
                self._pause_seconds += self._recorder.clock.resume()
                return not (self._is_stopped or self._control.end_reason)
            time.sleep(_POLL_SECONDS)
            self._look_for_commands()

    def _pause(self) -> None:
        self._recorder.clock.pause()
        boundary = self._boundary or self._take()
        if boundary.step != self._recorder.checkpoint_step or self._saver.is_dirty:
            self._save(boundary)
        self._recorder.step = self._model.num_timesteps
        self._recorder.announce(RunState.PAUSED)
        self._control.beat(Phase.PAUSED)

    def _resume(self) -> None:
        self._pause_seconds += self._recorder.clock.resume()
        self._recorder.announce(RunState.RUNNING)
        self._control.beat(Phase.UPDATE)

    def _change(self, command: RunCommand) -> list[Note]:
        """Change the spec; return the events to write when it is safe."""
        step = self._model.num_timesteps
        values = {
            name: value.to_json() if isinstance(value, Schedule) else value
            for name, value in command.values.items()
        }
        changed = self._spec.changed(**values)
        data = {**values, "id": command.id}
        if command.command is Command.EXTEND:
            if changed.planned_steps <= self._spec.planned_steps:
                return []  # also one that an earlier worker has seen
            if self._progress.is_solved:
                self._progress.is_solved, self._progress.ignores_target = False, True
            self._recorder.total_steps = changed.planned_steps
            kind = EventKind.EXTENDED
            text = f"The run goes on to step {changed.planned_steps:,}."
            if not (changed.learning_rate.is_constant and changed.clip_range.is_constant):
                text += " Schedules are computed for this length from now on."
        else:
            kind = EventKind.CHANGED
            now = ", ".join(f"{name} {getattr(changed, name)}" for name in values)
            text = f"From step {step:,} on: {now}."
        self._spec = changed
        self._progress.changes.update(values)
        self._model.ent_coef = changed.ent_coef
        self._saver.is_dirty = True
        return [] if command.id in self._told else [(kind, text, data)]

    def _end(self) -> RunState | None:
        """Write the end of the run when it has come; None when it has not, or no longer."""
        if self._is_stopped:
            state, message = RunState.STOPPED, "Stopped on request."
        elif self._control.end_reason:
            state, message = RunState.INTERRUPTED, self._control.end_reason
        elif self._progress.is_solved:
            state = RunState.FINISHED
            message = (
                f"Solved: the mean return reached {self._spec.target_return:g} in "
                f"{self._spec.target_evaluations} evaluation(s) in a row."
            )
        elif self._model.num_timesteps >= self._spec.planned_steps:
            state, message = RunState.FINISHED, ""
        else:
            return None
        boundary = self._boundary or self._take()
        self._model.num_timesteps = boundary.step  # steps of an unfinished rollout do not count
        self._recorder.rewind(boundary.step)
        if boundary.step != self._recorder.checkpoint_step or self._saver.is_dirty:
            self._save(boundary)
        if state is not RunState.INTERRUPTED:
            self._saver.write_model(boundary, self._model, self._spec)
            if state is RunState.FINISHED and self._is_extended():
                return None
        self._recorder.announce(state, message)
        if state is RunState.FINISHED and self._is_extended():
            # Whoever asked before they could see the end must not wait for nothing.
            self._recorder.announce(RunState.RUNNING)
            return None
        return state

    def _is_extended(self) -> bool:
        """Look a last time for what was asked while the end was written; obey it if it goes on."""
        self._look_for_commands()
        if not any(command.command is Command.EXTEND for command in self._waiting):
            return False
        planned = self._spec.planned_steps
        self._obey(can_change=True)
        return self._spec.planned_steps > planned and not self._must_end()

    def _take(self) -> snapshot.Boundary:
        return self._saver.take(self._model, self._progress, self._recorder)

    def _save(self, boundary: snapshot.Boundary, notes: Sequence[Note] = ()) -> None:
        if not self._waiting:
            self._seen_offset = self._control.offset
        self._saver.save(
            boundary,
            self._model,
            self._spec,
            self._progress,
            self._recorder,
            self._seen_offset,
            notes,
        )

    # A rollout and its update

    def _rollout(self) -> bool:
        """Collect one rollout; return False when the run must end before it is through."""
        model = self._model
        envs = snapshot.envs_of(model)
        began_at, began = model.num_timesteps, time.perf_counter()
        self._pause_seconds = 0.0
        self._timed = TimedEnvs(envs, model, self._control)
        watch = RolloutWatch(self._recorder, model, self._look)
        try:
            is_whole = model.collect_rollouts(
                self._timed,  # type: ignore[arg-type]
                watch,  # type: ignore[arg-type]
                model.rollout_buffer,
                n_rollout_steps=model.n_steps,
            )
        except Exception as error:
            divergence.explain(model, self._progress.update + 1, began_at, error)
            raise
        self._rollout_seconds = time.perf_counter() - began - self._pause_seconds
        return is_whole

    def _look(self) -> bool:
        """Look up in the middle of a rollout; return whether to go on with it."""
        self._recorder.tick(self._model.num_timesteps)
        self._look_for_commands()
        is_urgent = self._control.end_reason or any(
            command.command in {Command.PAUSE, Command.STOP} for command in self._waiting
        )
        # Without the state at the last boundary the next one is near.
        return not is_urgent or self._boundary is None or self._obey(can_change=False)

    def _update(self) -> None:
        model, progress = self._model, self._progress
        step, number = model.num_timesteps, progress.update + 1
        began_at = step - self._spec.rollout_size
        divergence.check_rollout(model, number, began_at, self._timed.bad_end)
        self._boundary = None
        rate = self._spec.learning_rate_at(step)
        set_schedules(model, rate, self._spec.clip_range_at(step))
        model._current_progress_remaining = 1.0 - self._spec.share_done(step)
        began = time.perf_counter()
        model.train()
        seconds = time.perf_counter() - began
        progress.update = number
        env = self._timed.seconds
        forward = max(self._rollout_seconds - env, 0.0)
        values = self._recorder.add_update(model, env=env, forward=forward, update=seconds)
        divergence.check_update(model, number, values[Metric.LOSS], rate)
        self._recorder.add_minibatch(model, self._spec)
