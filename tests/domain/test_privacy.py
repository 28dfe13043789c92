"""Stand-ins, and what everybody may read of what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_ppo.domain.privacy import Retention, is_stand_in, new_stand_in, notice

PAGE = Path(__file__).parent.parent.parent / "docs" / "privacy.md"


def test_stand_ins_are_random_and_told_from_usernames() -> None:
    made = {new_stand_in() for _ in range(200)}
    assert len(made) == 200
    assert all(map(is_stand_in, made))


@pytest.mark.parametrize(
    "user",
    ["", "erased-", "erased-1234567", "erased-123456789", "erased-1234567G", "xerased-12345678"],
)
def test_other_names_are_no_stand_ins(user: str) -> None:
    assert not is_stand_in(user)


def test_the_notice_says_the_bounds_that_are_set() -> None:
    said = notice(Retention(45, 7.5))
    assert (said.retention.activity_days, said.retention.execute_history_days) == (45, 7.5)
    bounds = " ".join(kept.how_long for kept in said.kept)
    assert "45 days" in bounds
    assert "7.5 days" in bounds


def test_the_page_has_a_row_for_everything_that_the_notice_names() -> None:
    table = PAGE.read_text(encoding="utf-8").split("## What is kept")[1].split("\n\n**")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == len(notice(Retention(180, 90)).kept)
