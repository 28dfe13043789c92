"""Settings become objects; a wrong setting is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets import TraitError

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.wiring import PPOService


def test_by_default_whoever_can_sign_in_is_the_owner_and_an_admin() -> None:
    settings = PPOService(owner="ada")
    assert settings.caller("anonymous-7") == Caller("ada", admin=True)
    assert settings.local_caller() == Caller("ada", admin=True)


def test_with_a_provider_people_are_who_it_says_and_only_the_named_are_admins() -> None:
    settings = PPOService(identity="provider", admins=["iris"])
    assert settings.caller("ada") == Caller("ada", admin=False)
    assert settings.caller("iris") == Caller("iris", admin=True)


def test_the_database_is_a_file_in_the_data_folder(tmp_path: Path) -> None:
    settings = PPOService(data_dir=str(tmp_path / "data?%#"))
    service = settings.build()
    service.close()
    assert (tmp_path / "data?%#" / "jupyter_ppo.sqlite").is_file()
    assert (tmp_path / "data?%#").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"memory_mb": 1}, "memory_mb: 1 is outside 64 to"),
        ({"memory": 512}, "'memory' is not a limit; there are"),
        ({"cell_seconds": "30"}, "cell_seconds: '30' is outside"),
    ],
)
def test_a_limit_that_is_unknown_or_out_of_range_is_named(
    limits: dict[str, object], words: str
) -> None:
    with pytest.raises(TraitError) as caught:
        PPOService(limits=limits)
    assert words in str(caught.value)


def test_a_class_that_does_not_run_notebooks_is_no_sandbox() -> None:
    with pytest.raises(TraitError):
        PPOService(sandbox_class="no.such.Class").build()
