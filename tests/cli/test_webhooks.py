"""``jupyter ppo webhook``."""

from __future__ import annotations

from typing import Any

Cli = Any
URL = "https://hooks.example/ppo"


def test_a_webhook_is_made_shown_tried_rotated_and_deleted(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    said = cli.ok("webhook", "create", "rl", "LMS", URL, "--event", "batch.finished")
    line, secret, _ = said.splitlines()
    webhook_id = line.split()[0]
    assert secret.startswith("ppowh_")
    assert line == f"{webhook_id}  active  {URL}  batch.finished  LMS"
    assert cli.ok("webhook", "list", "rl") == f"{line}\n"
    assert cli.ok("webhook", "show", "rl", webhook_id) == f"{line}\n"
    rotated = cli.ok("webhook", "rotate", "rl", webhook_id, "--overlap-hours", "1").splitlines()
    assert rotated[0] == line
    assert rotated[1] not in {secret, ""}
    ping = cli.ok("webhook", "test", "rl", webhook_id)
    assert "  ping  waiting  0 tries" in ping
    assert cli.ok("webhook", "deliveries", "rl", webhook_id) == ping
    assert cli.ok("webhook", "deliveries", "rl", webhook_id, "--state", "delivered") == ""
    assert cli.ok("webhook", "deliveries", "rl", webhook_id, "--all") == ping
    assert cli.ok("webhook", "replay", "rl", ping.split()[0]) == ping
    assert cli.ok("webhook", "delete", "rl", webhook_id) == f"{webhook_id}  LMS  deleted\n"
    assert cli.ok("webhook", "list", "rl") == ""


def test_without_events_there_are_all(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    made = cli.ok("webhook", "create", "rl", "LMS", URL)
    assert "submission.received,submission.graded,outcome.released,batch.finished" in made


def test_what_cannot_be_used_is_an_error_that_names_it(cli: Cli) -> None:
    cli.ok("course", "create", "rl")
    for words, named in (
        (("create", "rl", "LMS", "http://hooks.example/"), "url: "),
        (("create", "rl", "", URL), "name: "),
        (("create", "no", "LMS", URL), "There is no course"),
        (("show", "rl", "17"), "id: "),
        (("delete", "rl", "0199a5d2-0000-7000-8000-000000000000"), "There is no webhook"),
        (("replay", "rl", "0199a5d2-0000-7000-8000-000000000000"), "There is no delivery"),
    ):
        status, out, err = cli("webhook", *words)
        assert (status, out) == (1, "")
        assert err.startswith(f"error: {named}"), err
