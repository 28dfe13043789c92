"""Agreement of two judges, against cases worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.agreement import Figure, agreement_of, share, weighted_kappa
from jupyter_ppo.domain.errors import InvalidInputError

_LEVELS = 4
_PAIRS = st.lists(
    st.tuples(st.integers(0, _LEVELS - 1), st.integers(0, _LEVELS - 1)), min_size=1, max_size=12
)


def test_kappa_of_a_table_worked_out_by_hand() -> None:
    # Observed (0+0+0+1)/4; expected by the frequencies: person (0, 0, 1, 1), draft (0, 0, 1, 0).
    # E[i^2] + E[j^2] - 2 E[i]E[j] = 1/2 + 1/4 - 2 * 1/2 * 1/4 = 1/2, so kappa = 1 - (1/4)/(1/2).
    assert weighted_kappa([(0, 0), (0, 0), (1, 1), (1, 0)]) == pytest.approx(0.5)
    assert weighted_kappa([(0, 2), (2, 0)]) == pytest.approx(-1.0)
    assert weighted_kappa([(0, 0), (3, 3)]) == pytest.approx(1.0)


def test_the_figures_of_a_small_case() -> None:
    found = agreement_of([0, 1, 2, 2], [0, 2, 2, 0], 3)
    assert found.n == 4
    assert found.exact is not None
    assert found.exact.value == 0.5
    assert found.adjacent is not None
    assert found.adjacent.value == 0.75
    assert found.bias == Figure(-0.25, -2.0, 2.0)  # too few for an interval: the widest
    assert found.confusion == ((1, 0, 0), (0, 0, 1), (1, 0, 1))


def test_wilsons_interval_is_that_of_the_tables() -> None:
    figure = share(8, 10)
    assert (figure.low, figure.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share(0, 10).low == 0.0
    assert share(10, 10).high == 1.0


def test_kappa_is_not_defined_when_every_level_is_the_same() -> None:
    found = agreement_of([1] * 20, [1] * 20, 3)
    assert found.qwk is None
    assert "not defined" in found.why_not
    assert found.exact is not None
    assert found.exact.value == 1.0


def test_no_answers_have_no_figures() -> None:
    found = agreement_of([], [], 2)
    assert (found.n, found.qwk, found.exact, found.adjacent, found.bias) == (0, *[None] * 4)
    assert found.why_not


def test_the_interval_is_the_same_each_time() -> None:
    person, draft = [0, 1, 2, 1, 0, 2, 1], [0, 1, 1, 1, 0, 2, 2]
    assert agreement_of(person, draft, 3) == agreement_of(person, draft, 3)


@pytest.mark.parametrize(("person", "draft"), [([0], [0, 1]), ([3], [0]), ([0], [-1])])
def test_levels_that_cannot_be_compared_are_refused(person: list[int], draft: list[int]) -> None:
    with pytest.raises(InvalidInputError, match=r"Give one|Use 0 to 2"):
        agreement_of(person, draft, 3)


@given(_PAIRS)
def test_kappa_is_that_of_its_definition(pairs: list[tuple[int, int]]) -> None:
    n = len(pairs)
    observed = expected = 0.0
    for i in range(_LEVELS):
        for j in range(_LEVELS):
            weight = (i - j) ** 2
            observed += weight * pairs.count((i, j)) / n
            rows, columns = sum(a == i for a, _ in pairs), sum(b == j for _, b in pairs)
            expected += weight * rows * columns / n**2
    found = weighted_kappa(pairs)
    if expected == 0:
        assert found is None
    else:
        assert found == pytest.approx(1 - observed / expected)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_inside_its_interval(case: tuple[int, int]) -> None:
    figure = share(*case)
    assert 0 <= figure.low <= figure.value <= figure.high <= 1
