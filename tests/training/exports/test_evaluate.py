"""Evaluations of checkpoints: the same episodes as the run's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError, UntrustedRunError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.training.exports import evaluate_run
from jupyter_ppo.training.launch import create_run, open_run
from jupyter_ppo.training.own_loop import RunLog
from jupyter_ppo.training.run import Run

Trained = Callable[..., Run]


def test_a_checkpoint_plays_the_episodes_of_the_run_itself(trained: Trained) -> None:
    run = trained(env_id="Pendulum-v1", eval_every=64, eval_episodes=3, normalize_observations=True)
    own = run.evaluations()[-1]
    again = evaluate_run(run, step=own.step, episodes=3)
    assert again.returns == own.returns
    assert (again.step, again.seed, again.lengths) == (own.step, own.seed, own.lengths)
    assert evaluate_run(run, episodes=3, seed=5).returns != own.returns


@pytest.mark.parametrize("use_sde", [True, False])
def test_drawn_actions_of_the_run_s_own_evaluation_are_drawn_again(
    trained: Trained, use_sde: bool
) -> None:
    run = trained(
        env_id="Pendulum-v1",
        eval_every=64,
        eval_episodes=3,
        eval_deterministic=False,
        use_sde=use_sde,
    )
    own = run.evaluations()[-1]
    again = evaluate_run(run, step=own.step, episodes=3, deterministic=False)
    assert again.returns == own.returns
    other = evaluate_run(run, episodes=3, seed=5, deterministic=False)
    assert other.returns == evaluate_run(run, episodes=3, seed=5, deterministic=False).returns
    assert other.returns != own.returns


def test_drawn_actions_follow_from_the_seed_and_leave_the_generators_alone(
    trained: Trained,
) -> None:
    run = trained()
    states = torch.get_rng_state(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    first = evaluate_run(run, episodes=20, seed=7, deterministic=False)
    assert first.returns == evaluate_run(run, episodes=20, seed=7, deterministic=False).returns
    assert first.returns != evaluate_run(run, episodes=20, seed=7).returns
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]  # type: ignore[index, union-attr]
    assert (first.deterministic, len(first.lengths), first.seconds > 0) == (False, 20, True)


def test_an_environment_of_somebody_else_is_not_unpickled(
    trained: Trained, any_spaces: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(env=any_spaces)
    assert evaluate_run(run, episodes=2).lengths == (8, 8)
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another person"))
    with pytest.raises(UntrustedRunError, match="runs trust"):
        evaluate_run(run, episodes=2)


def test_a_run_that_ended_before_its_first_checkpoint_says_so(tmp_path: Path) -> None:
    files = create_run(RunSpec(), tmp_path / "run").files
    files.announce(RunStatus(RunState.FAILED, message="It cannot begin."))
    with pytest.raises(NotFoundError, match="It ended before the first one"):
        evaluate_run(tmp_path / "run")


def test_a_loop_of_ones_own_has_nothing_to_evaluate(tmp_path: Path) -> None:
    RunLog(tmp_path / "run").close()
    with pytest.raises(NotFoundError, match="It is a loop of your own"):
        evaluate_run(open_run(tmp_path / "run"))


@pytest.mark.parametrize(("field", "value"), [("eval_episodes", 0), ("eval_seed", -1)])
def test_what_cannot_be_evaluated_is_named(trained: Trained, field: str, value: int) -> None:
    values = {field.removeprefix("eval_"): value}
    with pytest.raises(InvalidInputError, match=field):
        evaluate_run(trained(), **values)  # type: ignore[arg-type]
