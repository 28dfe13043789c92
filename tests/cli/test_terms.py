"""Terms, extensions and versions from a terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jupyter_ppo.cli.terms import parsed_late
from jupyter_ppo.cli.times import duration, parsed_duration, parsed_time
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.terms import LateRule

Cli = Any


def test_terms_are_set_one_by_one_and_shown(released: Cli) -> None:
    released.ok(
        "terms", "set", "rl", "ps1", "--due", "2026-11-21T23:59+01:00", "--grace", "15m",
        "--late", "per_day:10:50", "--attempts", "3",
    )  # fmt: skip
    said = released.ok("terms", "set", "rl", "ps1", "--counting", "best", "--grades", "by_hand")
    assert said == released.ok("terms", "show", "rl", "ps1")
    assert "due       2026-11-21T22:59:00+00:00, grace 15m" in said
    assert "10 % less for each day that has begun, at least 50 % is kept" in said
    assert "attempts  3, the best counts" in said
    assert "students see grades by hand" in said
    assert "due       none" in released.ok("terms", "set", "rl", "ps1", "--due", "none")


def test_a_time_without_a_zone_is_this_machines_and_that_is_said(released: Cli) -> None:
    status, _, err = released("terms", "set", "rl", "ps1", "--due", "2026-11-21T23:59")
    assert status == 0
    assert re.search(r"due: taken as 2026-11-21T23:59:00[+-]\d\d:\d\d, this machine's zone", err)
    status, _, err = released("terms", "set", "rl", "ps1", "--due", "tomorrow")
    assert (status, "'tomorrow' is not a time" in err) == (1, True)
    status, _, err = released("terms", "set", "rl", "ps1")
    assert (status, "Nothing to change" in err) == (1, True)


def test_an_extension_is_given_listed_and_taken_back(released: Cli) -> None:
    released.ok("course", "enrol", "rl", "bob")
    where = ("extend", "rl", "ps1")
    given = released.ok(*where, "--user", "bob", "--by", "1d12h", "--attempts", "2")
    assert "bob: 1d 12h, 2 attempts more" in given
    listed = released.ok(*where)
    assert given == f"given: {listed}"
    released.ok(*where, "--revoke", listed.split()[0])
    assert released.ok(*where) == ""
    for wrong in (("--user", "zoe", "--by", "1d"), ("--user", "bob"), ("--revoke", "x")):
        status, _, err = released(*where, *wrong)
        assert (status, err.startswith("error: ")) == (1, True)


def test_versions_are_listed_and_an_old_one_is_published_again(released: Cli, right: str) -> None:
    source = released.write("again.ipynb", right)
    released.ok("release", "rl", "ps1", source, "--no-calibrate", "--note", "A fix")
    assert released.ok("versions", "rl", "ps1", "--publish", "1") == (
        "ps1 version 3 is version 1 again\n"
    )
    listed = released.ok("versions", "rl", "ps1").splitlines()
    assert [line.split()[0] for line in listed] == ["3", "2", "1"]
    assert listed[1].endswith("by ada  2 points, 0 submitted, 0 graded  A fix")


def test_a_notebook_is_submitted_without_the_assignments_name_and_told_when_late(
    released: Cli, right: str
) -> None:
    released.ok("terms", "set", "rl", "ps1", "--due", "2020-01-01T00:00Z", "--autograde", "no")
    receipt = released.ok("submit", "rl", released.write("any name.ipynb", right))
    assert receipt.startswith("received ps1 attempt 1 of ada")
    assert re.search(r"\n  late    \d+d ", receipt)
    assert "the staff says when it is graded" in receipt


@pytest.mark.parametrize(
    ("text", "seconds"), [("2d", 172_800), ("1d12h", 129_600), ("15m", 900), ("1w1s", 604_801)]
)
def test_lengths_of_time_are_read(text: str, seconds: int) -> None:
    assert parsed_duration(text, "by") == seconds


def test_what_is_no_length_of_time_or_no_rule_is_refused() -> None:
    for text in ("", "2", "d", "-1d", "1.5h", "1y", "٣d"):
        with pytest.raises(InvalidInputError, match="by: "):
            parsed_duration(text, "by")
    for text in ("", "often", "zero:1", "per_day:x", "custom", "custom:1h", "custom:1h=x", "none:"):
        if text != "none:":
            with pytest.raises(InvalidInputError, match="late"):
                parsed_late(text)
    assert parsed_late("zero").rule is LateRule.ZERO
    assert [step.keep_percent for step in parsed_late("custom:1h=90,2d=50").steps] == [90, 50]
    assert parsed_time("none", "due") is None
    assert [duration(each) for each in (0, 59, 90_061)] == ["0s", "59s", "1d 1h 1m"]
