"""No attack on grading gains anything, and no right answer loses anything by one.

All notebooks of the corpus are handed in to one service and graded as one class, with somebody
honest among them. ``make bench-attacks`` tries the same on nbgrader.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest
from attack_corpus import Attack, border, corpus
from attack_here import tried

CORPUS: Final = corpus()
BORDER: Final = border()
ATTACKS: Final = [*CORPUS, *BORDER]


def name_of(attack: Attack) -> str:
    return attack.name


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return tried(ATTACKS, tmp_path_factory.mktemp("attacks"))


def test_there_are_41_attacks_and_each_says_what_it_tries() -> None:
    assert [attack.number for attack in CORPUS] == [f"A{number}" for number in range(1, 42)]
    assert all(attack.title.endswith(".") and len(attack.title) > 20 for attack in ATTACKS)


def test_every_attack_tries_something(tmp_path: Path) -> None:
    assert not [each.name for each in ATTACKS if not each.here and not each.variants(tmp_path)]


@pytest.mark.docker
@pytest.mark.image
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("attack", ATTACKS, ids=name_of)
def test_an_attack_gains_nothing(attack: Attack, outcomes: dict[str, str]) -> None:
    assert outcomes[attack.name] == ""
