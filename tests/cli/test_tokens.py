"""``jupyter ppo token``."""

from __future__ import annotations

from typing import Any

Cli = Any


def test_a_token_is_made_listed_rotated_and_revoked(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    said = cli.ok("token", "create", "rl", "nightly export", "--role", "grader", "--days", "7")
    line, secret, _ = said.splitlines()
    token_id = line.split()[0]
    assert secret.startswith("ppo_")
    assert "ada  rl  grader  read  expires" in line
    assert line.endswith("never used  nightly export")
    assert cli.ok("token", "list") == f"{line}\n"
    assert cli.ok("token", "list", "rl") == f"{line}\n"
    rotated = cli.ok("token", "rotate", token_id, "--overlap-hours", "0").splitlines()
    assert rotated[1] not in {secret, ""}
    new_id = rotated[0].split()[0]
    assert "revoked" in cli.ok("token", "revoke", new_id)
    assert cli.ok("token", "revoke", token_id, "--course", "rl").startswith(token_id)
    assert secret not in cli.ok("token", "list")


def test_what_cannot_be_used_is_an_error_that_names_it(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    for words, named in (
        (("create", "rl", "x", "--days", "400"), "days: "),
        (("create", "rl", "x", "--user", "sam"), "'sam' is not in this course"),
        (("create", "no", "x"), "There is no course"),
        (("revoke", "17"), "id: "),
        (("rotate", "0199a5d2-0000-7000-8000-000000000000"), "There is no token"),
    ):
        status, out, err = cli("token", *words)
        assert (status, out) == (1, "")
        assert err.startswith(f"error: {named}"), err


def test_an_admin_makes_one_for_a_person_of_the_course(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    cli.ok("course", "enrol", "rl", "robot", "--role", "grader")
    said = cli.ok("token", "create", "rl", "x", "--user", "robot", "--role", "grader", "--write")
    assert "robot  rl  grader  write" in said
