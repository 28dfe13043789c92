"""When a run is evaluated, and when it has reached its target. Loads torch: only for workers."""

from __future__ import annotations

from collections.abc import Callable

from stable_baselines3 import PPO

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import Evaluation, EventKind
from jupyter_ppo.training import snapshot
from jupyter_ppo.training.control import Control, Phase
from jupyter_ppo.training.env_checks import env_code
from jupyter_ppo.training.env_state import normalisation_of
from jupyter_ppo.training.environments import EnvFactory, make_evaluation_envs
from jupyter_ppo.training.evaluating import (
    Episodes,
    Normaliser,
    evaluate,
    policy_predictor,
    seed_episodes,
)
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.recorder import Recorder


class _AbandonedError(BaseException):
    """The run must end: the evaluation is held again when it goes on.

    No ``Exception``: code of the environment in between must not swallow it.
    """


class EvaluationPlan:
    """Evaluations of one run: at the first boundary after every ``eval_every`` steps, and last."""

    def __init__(self, files: RunDirectory, control: Control, env: EnvFactory | None) -> None:
        self._files = files
        self._control = control
        self._env = env

    def hold_when_due(
        self,
        model: PPO,
        spec: RunSpec,
        progress: snapshot.Progress,
        recorder: Recorder,
        must_end: Callable[[], bool],
    ) -> None:
        """Evaluate when it is time; ``must_end`` is asked meanwhile, and then nothing is kept.

        Raises ``InvalidInputError`` for what the environment raises.
        """
        step = model.num_timesteps
        is_last = step >= spec.planned_steps
        if not spec.eval_every or step == 0 or progress.evaluated_at == step:
            return
        if (step < progress.next_evaluation and not is_last) or must_end():
            return
        try:
            found = self._episodes(model, spec, must_end)
        except _AbandonedError:
            return
        evaluation = Evaluation(
            step,
            recorder.clock.seconds(),
            spec.eval_seed,
            spec.eval_deterministic,
            found.returns,
            found.lengths,
        )
        recorder.add_evaluation(evaluation)
        if found.cut:
            text = (
                f"{found.cut} episode(s) of the evaluation had no end and were cut; give the "
                "environment a time limit."
            )
            self._files.note(EventKind.WARNING, step, text)
        self._judge(evaluation, spec, progress)

    def adopt(self, spec: RunSpec, progress: snapshot.Progress, recorder: Recorder) -> None:
        """Take over the evaluation of the checkpoint's own step when one was held since.

        A worker may have gone on from this checkpoint, evaluated, and been killed before the next.
        """
        step = recorder.step
        if not spec.eval_every or progress.evaluated_at == step:
            return
        held = [one for one in self._files.read_evaluations() if one.step == step]
        if held:
            recorder.adopt_evaluation(held[0])
            self._judge(held[0], spec, progress)

    def _episodes(self, model: PPO, spec: RunSpec, must_end: Callable[[], bool]) -> Episodes:
        before = snapshot.random_state()  # an evaluation must not change the training
        arrays = normalisation_of(snapshot.envs_of(model))
        normaliser = None if arrays is None else Normaliser(arrays)
        predict = policy_predictor(model.policy, normaliser, spec.eval_deterministic)

        def tick() -> None:
            if must_end():
                raise _AbandonedError
            self._control.beat(Phase.EVAL)

        try:
            with env_code("the environment of the evaluation"):
                envs = make_evaluation_envs(
                    spec, self._env, spec.eval_episodes, spec.eval_seed, tick
                )
                try:
                    seed_episodes(model.policy, spec.eval_seed, spec.eval_episodes)
                    return evaluate(predict, envs, tick)
                finally:
                    envs.close()
        finally:
            snapshot.set_random_state(before)
            self._control.beat(Phase.UPDATE)

    def _judge(self, evaluation: Evaluation, spec: RunSpec, progress: snapshot.Progress) -> None:
        step = evaluation.step
        progress.evaluated_at = step
        progress.next_evaluation = (step // spec.eval_every + 1) * spec.eval_every
        if spec.target_return is None or progress.ignores_target:
            return
        reached = evaluation.mean_return >= spec.target_return
        progress.streak = progress.streak + 1 if reached else 0
        if progress.streak >= spec.target_evaluations:
            progress.is_solved = True
            text = (
                f"The mean return of {progress.streak} evaluation(s) in a row reached the target "
                f"{spec.target_return:g}."
            )
            known = [one for one in self._files.read_events() if one.kind is EventKind.SOLVED]
            if all(one.step != step for one in known):  # a killed worker may have told of it
                self._files.note(EventKind.SOLVED, step, text)
