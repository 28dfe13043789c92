"""``jupyter ppo achievements``."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from jupyter_ppo.cli.app import Context
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.grading import ExerciseGrade, Grade
from jupyter_ppo.domain.sandbox import Verdict

Cli = Any
RULE = {
    "id": "square",
    "title": "Squared",
    "description": "It squares.",
    "criteria": [{"kind": "exercise", "data": {"assignment": "ps1", "grade_id": "square"}}],
}


@pytest.fixture
def award(released: Cli) -> str:
    """Put a rule in force that a student has met; return the id of what they have."""
    cli = released
    rules = cli.home / "rules.json"
    rules.write_text(json.dumps({"rules": [RULE]}), encoding="utf-8")
    assert "edition 1 is in force" in cli.ok("achievements", "rules", "set", "rl", str(rules))
    with Context(cli.settings) as context:
        service, student = context.service, Caller("grace")
        service.use_cases.roster.put_member(context.caller, "rl", "grace", Role.STUDENT)
        data = (cli.home / "source.ipynb").read_bytes()
        made = service.assessment.submit(student, "rl", "ps1", data)
        lease = service.jobs.lease("worker", timedelta(minutes=1), made.id)
        assert lease is not None
        exercise = ExerciseGrade("test_square", 2.0, 2.0, False, "")
        grade = Grade(made.id, (exercise,), Verdict.RAN, "", "c" * 64, made.submitted_at, 0.5)
        service.jobs.succeed(lease, grade)
        [item] = service.use_cases.achievements.own(student, "rl").items
    assert item.award is not None
    return str(item.award.id)


def test_what_a_person_has_is_listed(released: Cli, award: str) -> None:
    said = released.ok("achievements", "list", "rl", "--user", "grace")
    assert said.split()[0] == "earned"
    assert said.split()[-2:] == ["Squared", award]
    mine = released.ok("achievements", "list", "rl")
    assert mine.split() == ["open", "Squared", "0", "of", "1", "checks"]
    status, _, err = released("achievements", "list", "rl", "--user", "henry")
    assert (status, "'henry'" in err) == (1, True)


def test_rules_are_shown_as_they_are_set(released: Cli) -> None:
    shown = released.ok("achievements", "rules", "show", "rl")
    assert json.loads(shown)["number"] == 0
    path = released.home / "rules.json"
    path.write_text(shown, encoding="utf-8")
    said = released.ok("achievements", "rules", "set", "rl", str(path))
    assert said.startswith("edition 1 is in force: 0 awarded, 0 revoked\n")
    assert "nobody can meet first-episode: this course has no assignment '00-the-loop'." in said
    again = json.loads(released.ok("achievements", "rules", "show", "rl"))
    assert again == json.loads(shown) | {"number": 1}
    status, _, err = released("achievements", "rules", "set", "rl", str(path))
    assert (status, "edition 1 of the rules is in force now, and you saw 0" in err) == (1, True)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('{"rules": [], "number": "x"}', "number"),
        ("{", "file"),
        ("[1]", "rules[0]"),
        ('{"rules": 7}', "rules"),
        ("7", "rules"),
    ],
)
def test_rules_that_cannot_be_used_are_named(released: Cli, text: str, field: str) -> None:
    path = released.home / "rules.json"
    path.write_text(text, encoding="utf-8")
    status, _, err = released("achievements", "rules", "set", "rl", str(path))
    assert status == 1
    assert err.startswith(f"error: {field}: ")


def test_a_record_is_downloaded_and_verified_without_the_server(released: Cli, award: str) -> None:
    path, keys = released.home / "badge.jwt", released.home / "jwks.json"
    assert released.ok("achievements", "download", award) == released.ok(
        "achievements", "download", award
    )
    released.ok("achievements", "download", award, "--out", str(path))
    keys.write_text(released.ok("achievements", "key"), encoding="utf-8")
    (released.home / "data").rename(released.home / "elsewhere")
    status, said, warned = released(
        "achievements", "verify", str(path), "--key", str(keys), "--identity", "grace"
    )
    assert (status, warned) == (0, "")
    assert said.splitlines()[0] == "valid: Squared"
    assert "It squares. Course: Reinforcement Learning." in said
    assert "issued by A jupyter-ppo course" in said
    assert "ps1: Released points: test_square 2." in said
    assert "it is about grace" in said
    _, _, warned = released("achievements", "verify", str(path))
    assert "anyone may have made this key" in warned
    assert not (released.home / "data").exists()


def test_a_record_that_does_not_hold_is_refused(released: Cli, award: str) -> None:
    path, keys = released.home / "badge.jwt", released.home / "jwks.json"
    released.ok("achievements", "download", award, "--out", str(path))
    status, _, err = released("achievements", "verify", str(path), "--identity", "henry")
    assert (status, err) == (1, "error: identity: this credential is not about 'henry'.\n")
    token = path.read_text()
    path.write_text(token[:-10] + "AAAAAAAAAA")
    assert "signature does not hold" in released("achievements", "verify", str(path))[2]
    path.write_bytes(b"\xff\xfe")
    assert (
        "it is no signed JWT, which a downloaded achievement is"
        in released("achievements", "verify", str(path))[2]
    )
    path.write_text(token)
    keys.write_text("{}")
    assert released("achievements", "verify", str(path), "--key", str(keys))[0] == 1


def test_an_award_that_is_not_there_is_named(released: Cli) -> None:
    for award in ("x", "0199a5d2-0000-7000-8000-000000000000"):
        status, _, err = released("achievements", "download", award)
        assert (status, award in err) == (1, True)
