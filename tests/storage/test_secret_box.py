"""Secrets that are sealed with a key beside the data."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.storage.secret_box import BOX_KEY_FILE, SecretBox


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / BOX_KEY_FILE


def test_what_is_sealed_is_opened_by_whoever_has_the_key(path: Path) -> None:
    sealed = SecretBox(path).seal("ppowh_secret")
    assert "secret" not in sealed
    assert SecretBox(path).open(sealed) == "ppowh_secret"
    assert SecretBox(path).seal("ppowh_secret") != sealed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_many_at_once_make_one_key(path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        sealed = list(threads.map(lambda _: SecretBox(path).seal("x"), range(8)))
    assert {SecretBox(path).open(each) for each in sealed} == {"x"}
    assert os.listdir(path.parent) == [BOX_KEY_FILE]


def test_with_another_key_nothing_is_opened_and_the_remedy_is_told(path: Path) -> None:
    sealed = SecretBox(path).seal("x")
    path.write_bytes(Fernet.generate_key())
    with pytest.raises(UnavailableError, match=r"Restore that key .*rotate"):
        SecretBox(path).open(sealed)
    for text in ("", "nonsense", sealed[:-4] + "AAAA", "ü"):
        with pytest.raises(UnavailableError):
            SecretBox(path).open(text)


@pytest.mark.parametrize("data", [b"", b"no key", b"x" * 44])
def test_a_file_that_is_no_key_is_not_used(path: Path, data: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(UnavailableError, match="no key of ours"):
        SecretBox(path).seal("x")


def test_a_key_that_others_may_read_is_not_used(path: Path) -> None:
    SecretBox(path).seal("x")
    path.chmod(0o640)
    with pytest.raises(UnavailableError, match="others may read"):
        SecretBox(path).seal("x")
