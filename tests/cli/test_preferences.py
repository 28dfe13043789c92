"""``jupyter ppo preferences``."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_ppo.cli.preferences import patch_of
from jupyter_ppo.domain.preferences import Preferences, flat, patched

Cli = Any


def test_one_preference_is_changed_and_they_are_printed(cli: Cli) -> None:
    lines = cli.ok("preferences", "show").splitlines()
    assert [line.split()[0] for line in lines] == list(flat(Preferences()))
    assert "mode                        guided" in lines
    said = cli.ok("preferences", "set", "chart.smoothing", "20")
    assert "chart.smoothing             20" in said.splitlines()
    cli.ok("preferences", "set", "notifications.due", "no")
    cli.ok("preferences", "set", "pseudonym", "0815")
    shown = cli.ok("preferences", "show")
    for line in ("chart.smoothing             20", "notifications.due           no"):
        assert line in shown.splitlines()
    assert "pseudonym                   0815" in shown.splitlines()
    assert cli.ok("preferences", "set", "pseudonym", "default") == shown.replace(
        "pseudonym                   0815", "pseudonym                   (none)"
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("colour", "red"),
        ("chart", "none"),
        ("mode", "wizard"),
        ("chart.smoothing", "much"),
        ("chart.smoothing", "0.5"),
        ("chart.smoothing", "0"),
        ("hint_level", "1.5"),
        ("hint_level", "9"),
        ("notifications.due", "1"),
        ("pseudonym", "x"),
    ],
)
def test_what_cannot_be_used_is_an_error_that_names_it(cli: Cli, name: str, value: str) -> None:
    status, out, err = cli("preferences", "set", name, value)
    assert (status, out) == (1, "")
    assert err.startswith(f"error: {name if name in flat(Preferences()) else 'name'}: ")
    assert "Use " in err


@pytest.mark.parametrize("name", list(flat(Preferences())))
def test_every_preference_that_is_printed_can_be_set_to_what_it_is(name: str) -> None:
    text = str(flat(Preferences())[name])
    assert patched(Preferences(), patch_of(name, text)) == Preferences()
