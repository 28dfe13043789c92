"""The keys beside the data in a backup: each comes back, for its owner only, and over no other."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError
from jupyter_ppo.storage.backup import Manifest, back_up
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.restore import check_archive, restore
from jupyter_ppo.storage.secret_box import BOX_KEY_FILE, SecretBox
from jupyter_ppo.storage.signing_key import KEY_FILE, SigningKey


@dataclass(frozen=True)
class Kept:
    """What is kept in a folder, and its key."""

    database: Database
    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / KEY_FILE

    def back_up(self, archive: Path) -> Manifest:
        return back_up(self.database, FileBlobs(self.folder / "blobs"), archive, keys=self.folder)

    def restore(self, archive: Path) -> Manifest:
        return restore(archive, self.database, FileBlobs(self.folder / "blobs"), keys=self.folder)


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Kept:
    return Kept(database, tmp_path)


@pytest.fixture
def other(database: Database, new_database: Callable[[], Database], tmp_path: Path) -> Kept:
    folder = tmp_path / "other"
    folder.mkdir()
    return Kept(new_database(), folder)


@pytest.fixture
def archive(kept: Kept, tmp_path: Path) -> Path:
    SigningKey(kept.key).public()
    kept.back_up(tmp_path / "all.tar.gz")
    return tmp_path / "all.tar.gz"


def test_the_key_of_badges_comes_back_for_its_owner_only(
    kept: Kept, other: Kept, archive: Path
) -> None:
    assert check_archive(archive) == other.restore(archive)
    assert other.key.read_bytes() == kept.key.read_bytes()
    assert stat.S_IMODE(other.key.stat().st_mode) == 0o600
    assert SigningKey(other.key).public() == SigningKey(kept.key).public()


def test_the_key_that_seals_secrets_comes_back_beside_it(
    kept: Kept, other: Kept, tmp_path: Path
) -> None:
    sealed = SecretBox(kept.folder / BOX_KEY_FILE).seal("of a webhook")
    manifest = kept.back_up(tmp_path / "all.tar.gz")
    assert set(manifest.keys) == {BOX_KEY_FILE}
    other.restore(tmp_path / "all.tar.gz")
    assert SecretBox(other.folder / BOX_KEY_FILE).open(sealed) == "of a webhook"
    assert not other.key.exists()


def test_a_key_that_was_never_used_is_not_made_by_a_backup(
    kept: Kept, other: Kept, tmp_path: Path
) -> None:
    assert kept.back_up(tmp_path / "none.tar.gz").keys == {}
    own = SigningKey(other.key).public()
    other.restore(tmp_path / "none.tar.gz")
    assert not kept.key.exists()
    assert SigningKey(other.key).public() == own


def test_no_key_is_restored_over_another_one(kept: Kept, other: Kept, archive: Path) -> None:
    own = SigningKey(other.key).public()
    with pytest.raises(ConflictError, match="another key") as error:
        other.restore(archive)
    assert error.value.field == "data_dir"
    assert SigningKey(other.key).public() == own
    assert not (other.folder / "blobs").exists()
    shutil.copy(kept.key, other.key)
    other.restore(archive)


@pytest.mark.parametrize("data", [b"another key", None])
def test_a_key_that_was_changed_or_lost_in_the_archive_is_found(
    other: Kept, archive: Path, data: bytes | None
) -> None:
    changed = archive.with_name("changed.tar.gz")
    with tarfile.open(archive) as old, tarfile.open(changed, "w:gz") as new:
        for member in old:
            content = old.extractfile(member)
            assert content is not None
            found = content.read()
            if member.name == KEY_FILE:
                if data is None:
                    continue
                found = data
                member.size = len(data)
            new.addfile(member, io.BytesIO(found))
    with pytest.raises(InvalidInputError, match=r"the key badges\.pem is missing"):
        other.restore(changed)
    assert not other.key.exists()
