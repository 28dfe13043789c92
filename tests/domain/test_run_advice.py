"""Choices that work but are probably not meant."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.domain.hyperparameters import VecEnvKind
from jupyter_ppo.domain.run_advice import advice
from jupyter_ppo.domain.run_spec import RunSpec


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"n_envs": 4, "n_steps": 25}, ("batch_size: 64", "n_envs * n_steps = 100", "36 samples")),
        ({"n_steps": 32}, ("batch_size: 64 is more than", "= 32")),
        ({"total_steps": 100}, ("total_steps: 100", "2048 steps")),
        ({"torch_threads": 4}, ("torch_threads: 4",)),
        ({"learning_rate": 0.1}, ("learning_rate: 0.1",)),
        ({"clip_range": 0.9}, ("clip_range: 0.9",)),
        ({"gamma": 1.0}, ("gamma:",)),
        ({"eval_every": 4096, "eval_seed": 0}, ("eval_seed: 0", "not held out")),
        ({"eval_every": 10}, ("eval_every: 10",)),
        ({"vec_env": VecEnvKind.NATIVE}, ("vec_env:",)),
    ],
)
def test_a_classic_mistake_gets_one_sentence_that_begins_with_its_field(
    values: dict[str, Any], words: tuple[str, ...]
) -> None:
    (sentence,) = advice(RunSpec(**values))
    assert sentence.startswith(f"{words[0].split(':')[0]}:")
    for word in words:
        assert word in sentence


def test_the_defaults_need_no_advice() -> None:
    assert advice(RunSpec()) == ()
