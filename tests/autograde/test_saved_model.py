"""Which bytes are taken as a saved model, and that none of them is unpickled here."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.saved_model import MAX_BYTES, is_archive, read_saved_model
from jupyter_ppo.domain.errors import InvalidInputError, InvalidModelError, TooLargeError

PARTS = {
    "data": json.dumps({"clip_range": 0.2, "n_steps": 64}),
    "pytorch_variables.pth": b"\x80\x02",
    "policy.pth": b"weights",
    "policy.optimizer.pth": b"moments",
    "_stable_baselines3_version": "2.7.0",
    "system_info.txt": "an operating system",
}

Change = Callable[[zipfile.ZipFile], None]


def saved(parts: Mapping[str, str | bytes] = PARTS, change: Change = lambda _: None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        change(archive)
    return buffer.getvalue()


def without(name: str) -> bytes:
    return saved({key: text for key, text in PARTS.items() if key != name})


def with_part(name: str, text: str | bytes) -> bytes:
    return saved({**PARTS, name: text})


def a_link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo("link")
    entry.external_attr = 0o120777 << 16
    archive.writestr(entry, "/etc/passwd")


def a_bomb(archive: zipfile.ZipFile) -> None:
    archive.writestr("zeros", bytes(2**20), zipfile.ZIP_DEFLATED)


def large(archive: zipfile.ZipFile) -> None:
    for part in range(5):  # packed, each is 50 times smaller
        text = b"".join(bytes(300) + bytes([i % 251] * 5) for i in range(46_000))
        archive.writestr(f"part{part}", text, zipfile.ZIP_DEFLATED)


def encrypted() -> bytes:
    data = bytearray(saved())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature)
        data[at + offset] |= 1
    return bytes(data)


def many_entries() -> bytes:
    return saved({**PARTS, **{f"e{i}": "" for i in range(40)}})


def a_table_of_its_own_kind() -> bytes:
    data = saved()
    return data[:-22] + b"PK\x06\x07" + bytes(16) + data[-22:]


def a_damaged_file() -> bytes:
    data = bytearray(saved())
    data[data.index(b"clip_range")] ^= 1
    return bytes(data)


def test_what_sb3_writes_is_taken_as_it_is() -> None:
    model = read_saved_model(saved())
    assert (model.data, model.version) == (saved(), "2.7.0")
    assert model.description.startswith("a saved model, 1 kB, sha256 ")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04 no archive", "not a whole zip archive"),
        (saved() + b"x", "not a whole zip archive"),
        (saved()[:-1], "not a whole zip archive"),
        (saved(change=lambda archive: setattr(archive, "comment", b"hi")), "not a whole zip"),
        (without("data"), "holds no data"),
        (without("policy.pth"), "holds no policy.pth"),
        (without("_stable_baselines3_version"), "holds no _stable_baselines3_version"),
        (with_part("../up", ""), "not a plain name"),
        (with_part("/etc/x", ""), "not a plain name"),
        (with_part("folder/", ""), "not a plain name"),
        (with_part("a\\b", ""), "not a plain name"),
        (saved(change=a_link), "'link' in it is a link"),
        (saved(change=a_bomb), "'zeros' in it grows more than 100 times"),
        (encrypted(), "encrypted"),
        (many_entries(), "more than 30 files"),
        (a_table_of_its_own_kind(), "of a kind that is not needed"),
        (a_damaged_file(), "is damaged"),
        (with_part("data", "not JSON"), "'data' in it is not JSON"),
        (with_part("data", "[" * 10**5), "'data' in it is not JSON"),
        (with_part("data", "1" * 10**5), "'data' in it is not JSON"),
        (with_part("data", b"\xff\xfe\x00"), "'data' in it is not JSON"),
        (with_part("data", "[1]"), "not a PPO"),
        (with_part("data", '{"buffer_size": 1}'), "not a PPO"),
        (with_part("data", " " * (4 * 2**20 + 1)), "'data' in it is over"),
        (with_part("_stable_baselines3_version", "<b>2</b>"), "no version"),
    ],
)
def test_anything_else_is_refused_with_what_is_wrong_and_the_remedy(
    data: bytes, words: str
) -> None:
    with pytest.raises(InvalidModelError) as refused:
        read_saved_model(data)
    assert words in refused.value.message
    assert refused.value.message.startswith("model: ")
    assert "model.save('model.zip')" in refused.value.message
    assert refused.value.field == "model"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_the_same_name_are_refused() -> None:
    data = saved(change=lambda archive: archive.writestr("data", "{}"))
    with pytest.raises(InvalidModelError, match="two files of the same name"):
        read_saved_model(data)


def test_size_is_bounded_packed_and_unpacked() -> None:
    with pytest.raises(TooLargeError, match="over the limit of 8 MiB"):
        read_saved_model(saved() + bytes(MAX_BYTES))
    data = saved(change=large)
    assert len(data) < MAX_BYTES
    with pytest.raises(TooLargeError, match="unpacked is over the limit of 64 MiB"):
        read_saved_model(data)


def test_a_table_that_lies_about_its_size_is_not_read() -> None:
    data = saved()
    lying = data[:-10] + struct.pack("<I", 2**24) + data[-6:]
    with pytest.raises(InvalidModelError, match="more than 30 files"):
        read_saved_model(lying)


def test_nothing_in_it_is_unpickled(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "was here",))

    evil = pickle.dumps(Evil())
    read_saved_model(saved({**PARTS, "policy.pth": evil, "pytorch_variables.pth": evil}))
    assert list(tmp_path.iterdir()) == []


@given(data=st.data())
@settings(deadline=None, max_examples=100)
def test_any_change_of_its_bytes_is_taken_or_refused_and_nothing_else(data: Any) -> None:
    model = bytearray(saved())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(model) - 1))
        model[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(InvalidInputError):  # any other error fails
        read_saved_model(bytes(model))


def test_a_notebook_is_no_archive() -> None:
    assert is_archive(saved())
    assert not is_archive(b'{"cells": []}')
