from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jupyter_ppo
from jupyter_ppo.domain.errors import (
    DamagedFileError,
    NotFoundError,
    StorageFullError,
    UnavailableError,
)
from jupyter_ppo.domain.ports import BlobStore
from jupyter_ppo.storage.blobs import FileBlobs

WRITE_WITH_A_SMALL_LIMIT = """
import resource, sys
from pathlib import Path
from jupyter_ppo.domain.errors import StorageFullError
from jupyter_ppo.storage.blobs import FileBlobs

resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
blobs = FileBlobs(Path(sys.argv[1]))
kept = blobs.put(b"x" * 50_000)
try:
    blobs.put(b"y" * 200_000)
except StorageFullError as error:
    assert blobs.get(kept) == b"x" * 50_000
    print("full:", error.message)
"""


READ_WITHOUT_DESCRIPTORS = """
import os, resource, sys
from pathlib import Path
from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.storage.blobs import FileBlobs

blobs = FileBlobs(Path(sys.argv[1]))
kept = blobs.put(b"x")
free = os.open(sys.argv[1], os.O_RDONLY)
os.close(free)
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
try:
    blobs.get(kept)
except UnavailableError as error:
    print(error.code)
"""


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return FileBlobs(tmp_path / "blobs")


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    if not mounted:
        pytest.skip("mounting a small file system needs root on Linux")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_bytes_are_kept_under_their_sha256(blobs: BlobStore) -> None:
    data = b"\x00\xff not text \r\n"
    digest = blobs.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.get(digest) == data


@given(datas=st.lists(st.binary(max_size=2000), max_size=8))
@settings(deadline=None, max_examples=25)
def test_whatever_is_put_can_be_got_and_equal_bytes_are_kept_once(datas: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        blobs = FileBlobs(Path(folder))
        digests = [blobs.put(data) for data in datas]
        assert [blobs.get(digest) for digest in digests] == datas
        assert len(files_under(Path(folder))) == len(set(datas))


@pytest.mark.parametrize("digest", ["", "0" * 64, "../../etc/passwd", "A" * 64, "0" * 63 + "\n"])
def test_what_is_not_there_is_not_found(blobs: BlobStore, digest: str) -> None:
    with pytest.raises(NotFoundError):
        blobs.get(digest)


def test_a_damaged_file_is_refused_and_healed_by_the_same_bytes(
    blobs: BlobStore, tmp_path: Path
) -> None:
    digest = blobs.put(b"a notebook")
    (path,) = files_under(tmp_path / "blobs")
    path.write_bytes(b"a noteboot")
    with pytest.raises(DamagedFileError, match="is damaged"):
        blobs.get(digest)
    assert blobs.put(b"a notebook") == digest
    assert blobs.get(digest) == b"a notebook"


def test_a_folder_in_the_place_of_a_file_is_the_fault_of_that_file_only(
    blobs: BlobStore, tmp_path: Path
) -> None:
    digest, other = blobs.put(b"a notebook"), blobs.put(b"another one")
    path = tmp_path / "blobs" / digest[:2] / digest[2:]
    path.unlink()
    path.mkdir()
    for call in (lambda: blobs.get(digest), lambda: blobs.put(b"a notebook")):
        with pytest.raises(DamagedFileError, match=digest):
            call()
    assert blobs.get(other) == b"another one"
    assert not list((tmp_path / "blobs").rglob(".part-*"))


def test_a_process_that_can_open_no_more_files_is_told_from_a_damaged_file(
    tmp_path: Path,
) -> None:
    pytest.importorskip("resource")
    root = str(Path(jupyter_ppo.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", READ_WITHOUT_DESCRIPTORS, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert (done.returncode, done.stdout) == (0, "unavailable\n"), done.stderr


def test_a_full_disk_is_reported_and_nothing_is_left_behind(tiny_disk: Path) -> None:
    blobs = FileBlobs(tiny_disk / "blobs")
    kept = blobs.put(b"x" * 300_000)
    before = files_under(tiny_disk)
    with pytest.raises(StorageFullError, match="no room on the disk for 2000000 bytes"):
        blobs.put(b"y" * 2_000_000)
    assert files_under(tiny_disk) == before
    assert blobs.get(kept) == b"x" * 300_000
    # What fits is still accepted afterwards.
    assert blobs.get(blobs.put(b"z" * 300_000)) == b"z" * 300_000


def test_a_limit_on_the_size_of_files_counts_as_no_room(tmp_path: Path) -> None:
    pytest.importorskip("resource")
    root = str(Path(jupyter_ppo.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", WRITE_WITH_A_SMALL_LIMIT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("full: There is no room on the disk for 200000 bytes")
    assert len(files_under(tmp_path)) == 1


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("a file where the folder should be")
    with pytest.raises(UnavailableError, match="cannot be written"):
        FileBlobs(tmp_path / "blobs").put(b"x")


def test_many_writers_of_the_same_bytes_do_not_disturb_each_other(
    blobs: BlobStore, tmp_path: Path
) -> None:
    gate = threading.Barrier(8)
    digests: list[str] = []

    def run() -> None:
        gate.wait()
        digests.append(blobs.put(b"the same" * 1000))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 8
    assert len(set(digests)) == 1
    assert len(files_under(tmp_path / "blobs")) == 1
