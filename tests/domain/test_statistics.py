"""Which runs are of one setting."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule
from jupyter_ppo.domain.statistics import Statistic, group_by_setting, setting_key


def test_runs_that_differ_in_their_seed_only_are_one_group_in_the_given_order() -> None:
    specs = {
        "a": RunSpec(seed=0),
        "b": RunSpec(seed=0, gamma=0.9),
        "c": RunSpec(seed=7),
        "d": RunSpec(seed=3, gamma=0.9),
        "e": RunSpec(seed=1, env_kwargs={"size": 3}),
    }
    assert group_by_setting(specs) == [["a", "c"], ["b", "d"], ["e"]]
    assert group_by_setting({}) == []


def test_a_setting_does_not_depend_on_how_it_was_written() -> None:
    one = RunSpec(learning_rate=Schedule.constant(1e-3), env_kwargs={"a": 1, "b": 2})
    other = RunSpec.from_dict({"env_kwargs": {"b": 2, "a": 1}, "learning_rate": 0.001, "seed": 5})
    assert setting_key(one) == setting_key(other)
    assert setting_key(one) != setting_key(RunSpec(learning_rate=Schedule.linear(1e-3)))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([0.9, 0.95, 0.99])), max_size=12))
def test_groups_share_all_runs_out_and_are_equal_within(runs: list[tuple[int, float]]) -> None:
    specs = {str(i): RunSpec(seed=seed, gamma=gamma) for i, (seed, gamma) in enumerate(runs)}
    groups = group_by_setting(specs)
    assert sorted(name for group in groups for name in group) == sorted(specs)
    gammas = [{specs[name].gamma for name in group} for group in groups]
    assert all(len(found) == 1 for found in gammas)
    assert len(groups) == len({gamma for _, gamma in runs})


def test_statistics_say_what_they_are() -> None:
    assert Statistic.MEDIAN_IQR.label == "median and interquartile range"
    assert Statistic.IQM_BOOTSTRAP.label == "interquartile mean and 95 % bootstrap interval"
