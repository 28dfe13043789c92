"""Checkpoints: complete or absent, checked when read, trusted when ours."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import DamagedFileError, NotFoundError, UntrustedRunError
from jupyter_ppo.training.checkpoints import CheckpointStore

_PARTS = {"weights.pt": b"w" * 1000, "state.pkl": b"s" * 50, "empty": b""}


def write(store: CheckpointStore, step: int, parts: dict[str, bytes] | None = None) -> None:
    store.write(
        step,
        step // 100,
        _PARTS if parts is None else parts,
        weights_sha256="ab" * 32,
        is_exact=step != 300,
        reason="the environment cannot be copied" if step == 300 else "",
        extra={"torch": "2.6", "spec": {"seed": 1}},
    )


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    store = CheckpointStore(tmp_path / "checkpoints")
    for step in (100, 200, 300):
        write(store, step)
    return store


def test_a_checkpoint_comes_back_as_it_was_written(store: CheckpointStore) -> None:
    found = store.read(200)
    assert (found.info.step, found.info.update, found.info.weights_sha256) == (200, 2, "ab" * 32)
    assert found.info.size_bytes == store.path(200).stat().st_size
    assert found.extra == {"torch": "2.6", "spec": {"seed": 1}}
    assert found.parts == _PARTS
    assert found.trusted_part("state.pkl") == _PARTS["state.pkl"]
    assert found.skipped == ()
    with pytest.raises(DamagedFileError, match="has no part other"):
        found.part("other")


def test_the_list_is_oldest_first_and_says_which_are_exact(store: CheckpointStore) -> None:
    assert [info.step for info in store.list()] == [100, 200, 300]
    assert [info.is_exact for info in store.list()] == [True, True, False]
    assert store.list()[-1].reason == "the environment cannot be copied"


def test_no_folder_means_no_checkpoints(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path / "none")
    assert store.list() == []
    assert store.newest() is None
    with pytest.raises(NotFoundError) as caught:
        store.read(100)
    assert caught.value.field == "step"


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_damage_anywhere_is_found_or_does_no_harm(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    store = CheckpointStore(tmp_path_factory.mktemp("run") / "checkpoints")
    write(store, 100)
    good = store.path(100).read_bytes()
    place = data.draw(st.integers(0, len(good) - 1))
    change = data.draw(st.integers(1, 255))
    store.path(100).write_bytes(
        good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
        if data.draw(st.booleans())
        else good[:place]
    )
    found = store.newest()
    if found is None:
        with pytest.raises(DamagedFileError, match=r"000000000100\.ckpt"):
            store.read(100)
    else:
        assert found.parts == _PARTS


def test_a_damaged_one_is_passed_over_with_a_sentence_and_set_aside(
    store: CheckpointStore,
) -> None:
    data = bytearray(store.path(300).read_bytes())
    data[data.index(b"w" * 1000) + 5] ^= 1
    store.path(300).write_bytes(data)
    store.path(200).write_bytes(b"")
    found = store.newest()
    assert found is not None
    assert found.info.step == 100
    assert len(found.skipped) == 2
    assert "000000000300.ckpt" in found.skipped[0]
    assert store.path(300).exists()  # a reader changes nothing
    assert store.newest(set_aside=True) is not None
    write(store, 150)
    store.prune(1)  # the newest good one stays, not the damaged one with the greater step
    assert os.listdir(store.path(150).parent) == ["000000000150.ckpt"]


def test_prune_keeps_the_newest_and_sweeps_what_was_left_unfinished(
    store: CheckpointStore,
) -> None:
    (store.path(100).parent / ".000000000400.ckpt.1.2.tmp").write_bytes(b"half")
    store.prune(2)
    assert sorted(os.listdir(store.path(100).parent)) == ["000000000200.ckpt", "000000000300.ckpt"]
    write(store, 300, {"other": b"1"})
    assert store.read(300).parts == {"other": b"1"}


def test_a_zip_bomb_is_damage(store: CheckpointStore) -> None:
    with zipfile.ZipFile(store.path(300)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(store.path(300), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    with pytest.raises(DamagedFileError):
        store.read(300)


def test_somebody_else_s_checkpoint_gives_weights_but_no_pickle_until_it_is_trusted(
    store: CheckpointStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another user"))
    found = store.read(200)
    assert not found.is_ours
    assert found.part("weights.pt") == _PARTS["weights.pt"]
    with pytest.raises(UntrustedRunError, match="jupyter ppo runs trust") as caught:
        found.trusted_part("state.pkl")
    assert str(tmp_path) in caught.value.message
    store.sign_again(200)
    again = store.read(200)
    assert again.trusted_part("state.pkl") == _PARTS["state.pkl"]
    assert again.info == found.info
