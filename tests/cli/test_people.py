"""``jupyter ppo people``: another username, and what it would change."""

from __future__ import annotations

from typing import Any

Cli = Any


def test_a_person_is_renamed_and_before_that_it_is_said_what_would_be(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    cli.ok("course", "enrol", "rl", "sam")
    said = cli.ok("people", "rename", "sam", "sam2", "--dry-run")
    assert "sam would be sam2 in so many rows; nothing was changed" in said
    assert "1 memberships" in said
    again = cli.ok("people", "rename", "sam", "sam2")
    assert "sam is sam2 from now on" in again
    assert again.splitlines()[1:] == said.splitlines()[1:]
    status, _, error = cli("people", "rename", "sam", "sam3")
    assert (status, "nothing is kept of 'sam'" in error) == (1, True)


def test_a_name_that_somebody_has_is_refused_with_what_to_do(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    cli.ok("course", "enrol", "rl", "sam")
    cli.ok("course", "enrol", "rl", "sue")
    status, _, error = cli("people", "rename", "sam", "sue")
    assert (status, "somebody called 'sue' (memberships)" in error) == (1, True)
    assert "privacy erase sue --confirm sue" in error
