from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.recurrent import RecurrentCore, recurrent_minibatches


@pytest.fixture
def core():
    torch.manual_seed(0)
    return RecurrentCore(3, 5)


def test_weights_begin_orthogonal_and_biases_with_zero(core):
    for name, parameter in core.lstm.named_parameters():
        if "bias" in name:
            assert not parameter.any()
        else:
            inner = parameter.t() @ parameter
            torch.testing.assert_close(inner, torch.eye(len(inner)), rtol=0, atol=1e-5)


def test_it_remembers_nothing_at_first(core):
    h, c = core.initial_state(4)
    assert h.shape == c.shape == (1, 4, 5)
    assert not h.any()
    assert not c.any()


def test_without_a_start_in_between_it_is_the_lstm_of_torch(core):
    x = torch.randn(6, 2, 3)
    state = (torch.randn(1, 2, 5), torch.randn(1, 2, 5))
    found, end = core(x, torch.zeros(6, 2), state)
    wanted, same = core.lstm(x, state)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(end, same)


def test_each_episode_is_as_if_it_were_alone(core):
    x, starts = torch.randn(7, 2, 3), torch.zeros(7, 2)
    starts[3, 0] = starts[0, 1] = starts[5, 1] = 1
    state = (torch.randn(1, 2, 5), torch.randn(1, 2, 5))
    found, _ = core(x, starts, state)
    nothing = core.initial_state(1)
    for env, begin, end in ((0, 3, 7), (1, 0, 5), (1, 5, 7)):
        rows = x[begin:end, env : env + 1]
        alone, _ = core(rows, torch.zeros(len(rows), 1), nothing)
        torch.testing.assert_close(found[begin:end, env], alone[:, 0])
    kept = (state[0][:, :1], state[1][:, :1])
    alone, _ = core(x[:3, :1], torch.zeros(3, 1), kept)
    torch.testing.assert_close(found[:3, 0], alone[:, 0])


def test_steps_one_by_one_and_minibatches_from_the_first_state_are_the_rollout_again(core):
    """So that all ratios are 1 in the first epoch."""
    x, starts = torch.randn(8, 4, 3), (torch.rand(8, 4) < 0.3).float()
    first = (torch.randn(1, 4, 5), torch.randn(1, 4, 5))
    state, rows = first, []
    for t in range(8):
        row, state = core(x[t : t + 1], starts[t : t + 1], state)
        rows.append(row)
    rollout = torch.cat(rows)
    columns = {"x": x, "starts": starts, "h": first[0], "c": first[1], "rollout": rollout}
    arrays = {name: column.detach().numpy() for name, column in columns.items()}
    pieces = recurrent_minibatches(np.random.default_rng(0), arrays, 2)
    for piece in pieces:
        row = {name: torch.from_numpy(array) for name, array in piece.items()}
        again, _ = core(row["x"], row["starts"], (row["h"], row["c"]))
        torch.testing.assert_close(again, row["rollout"])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 6), st.integers(0, 99))
def test_minibatches_keep_the_order_of_time_and_hold_each_environment_once(groups, size, t, seed):
    n = groups * size
    numbers = np.arange(t * n).reshape(t, n)
    pieces = recurrent_minibatches(np.random.default_rng(seed), {"a": numbers, "b": -numbers}, size)
    assert [piece["a"].shape for piece in pieces] == [(t, size)] * groups
    assert sorted(np.concatenate([piece["a"][0] for piece in pieces])) == list(range(n))
    for piece in pieces:
        np.testing.assert_array_equal(piece["a"], -piece["b"])
        assert (np.diff(piece["a"], axis=0) == n).all()


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: RecurrentCore(0, 5), "obs_dim"),
        (lambda: RecurrentCore(3, 0), "hidden"),
        (
            lambda: RecurrentCore(3, 5)(torch.zeros(2, 1, 3), torch.zeros(2), ()),
            "starts",
        ),
        (
            lambda: recurrent_minibatches(np.random.default_rng(0), {"a": np.zeros((2, 4))}, 3),
            "envs_per_minibatch",
        ),
        (lambda: recurrent_minibatches(np.random.default_rng(0), {}, 1), "rollout"),
        (lambda: recurrent_minibatches(np.random.default_rng(0), {"a": np.zeros(3)}, 1), "rollout"),
        (
            lambda: recurrent_minibatches(
                np.random.default_rng(0), {"a": np.zeros((2, 4)), "b": np.zeros((2, 2))}, 1
            ),
            "rollout",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, field):
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert caught.value.field == field
