"""``jupyter ppo privacy``: the words that it prints and the files that it writes."""

from __future__ import annotations

import stat
import zipfile
from typing import Any

import pytest

Cli = Any


@pytest.fixture
def with_sam(cli: Cli) -> Cli:
    cli.ok("course", "create", "rl")
    cli.ok("course", "enrol", "rl", "sam")
    return cli


def test_what_is_kept_is_printed(cli: Cli) -> None:
    said = cli.ok("privacy", "show", "--PPOService.activity_days=60")
    assert "60 days" in said
    assert "Nothing is sent anywhere." in said


def test_with_a_language_model_it_says_where_what_goes(cli: Cli) -> None:
    words = ["llm_provider=openai", "llm_model=m", "llm_base_url=http://models.example.org/v1"]
    said = cli.ok("privacy", "show", *(f"--PPOService.{word}" for word in words))
    assert "goes to models.example.org, without names" in said
    assert "Nothing else is sent anywhere." in said


def test_an_export_is_written_whole_for_its_owner_alone(with_sam: Cli) -> None:
    folder = with_sam.home / "exports"
    folder.mkdir()
    file = folder / "sam.zip"
    with_sam.ok("privacy", "export", "sam", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        assert b'"rl"' in archive.read("account.json")
    with_sam.ok("privacy", "export", str(folder / "own.zip"))
    before = file.read_bytes()
    status, _, said = with_sam("privacy", "export", "sam", str(file))
    assert (status, "is there already" in said) == (1, True)
    assert file.read_bytes() == before
    status, _, said = with_sam("privacy", "export", "nobody", str(folder / "none.zip"))
    assert (status, "nothing is kept" in said) == (1, True)
    assert {path.name for path in folder.iterdir()} == {"sam.zip", "own.zip"}


def test_a_person_is_erased_once_the_name_is_confirmed(with_sam: Cli) -> None:
    status, _, said = with_sam("privacy", "erase", "sam", "--confirm", "sue")
    assert (status, "confirm" in said) == (1, True)
    said = with_sam.ok("privacy", "erase", "sam", "--confirm", "sam")
    assert "sam is erased; erased-" in said
    assert "backups" in said
    status, _, said = with_sam("privacy", "erase", "sam", "--confirm", "sam")
    assert (status, "nothing is kept" in said) == (1, True)


def test_the_daily_clean_up_may_be_done_by_hand(cli: Cli) -> None:
    assert "0 events of activity summed up" in cli.ok("privacy", "retain")
