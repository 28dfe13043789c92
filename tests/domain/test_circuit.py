"""A circuit opens after failures in a row, and lets one request try when its time is over."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.circuit import Circuit


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.lists(st.booleans(), max_size=30))
def test_it_is_open_exactly_after_so_many_failures_in_a_row(ends: list[bool]) -> None:
    circuit = Circuit(failures=3, seconds=10, clock=Clock())
    in_a_row = 0
    for is_down in ends:
        circuit.note(is_down=is_down)
        in_a_row = in_a_row + 1 if is_down else 0
        assert (circuit.wait() > 0) == (in_a_row >= 3)


def test_when_the_time_is_over_one_may_try_and_closes_it() -> None:
    clock = Clock()
    circuit = Circuit(failures=1, seconds=10, clock=clock)
    circuit.note(is_down=True)
    assert circuit.wait() == 10
    clock.now = 10.5
    assert circuit.wait() == 0
    assert circuit.wait() == 10
    circuit.note(is_down=False)
    assert circuit.wait() == 0
    assert circuit.wait() == 0


def test_one_who_tried_and_failed_opens_it_again() -> None:
    clock = Clock()
    circuit = Circuit(failures=2, seconds=10, clock=clock)
    circuit.note(is_down=True)
    circuit.note(is_down=True)
    clock.now = 11
    assert circuit.wait() == 0
    circuit.note(is_down=True)
    assert circuit.wait() == 10
