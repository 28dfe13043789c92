"""Uploaded zip archives: what is read, and everything that is refused."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.archive import ArchivedFile, read_archive
from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError

LINK, DEVICE, FIFO = 0o120777, 0o060666, 0o010666


def packed(
    *files: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int | None = None
) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files:
            line = zipfile.ZipInfo(name)
            line.compress_type = method
            usual = 0o040755 if name.endswith("/") else 0o100644
            line.external_attr = (usual if mode is None else mode) << 16
            archive.writestr(line, data)
    return buffer.getvalue()


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace a name everywhere; zipfile would not write such a one."""
    assert len(old) == len(new)
    assert old in data
    return data.replace(old, new)


def in_table(data: bytes, offset: int, value: bytes) -> bytes:
    """Write ``value`` into the first line of the table."""
    start = data.index(b"PK\x01\x02") + offset
    return data[:start] + value + data[start + len(value) :]


def refused(data: bytes, problem: str, **limits: int) -> None:
    with pytest.raises(InvalidInputError, match=problem) as caught:
        read_archive(data, **limits)
    assert caught.value.field == "archive"


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?\.txt", fullmatch=True),
        st.binary(max_size=200).map(lambda data: b"." + data),
        min_size=1,
        max_size=5,
    )
)
@settings(max_examples=30)
def test_what_was_packed_comes_out(files: dict[str, bytes]) -> None:
    # A file and a folder cannot have one name here: files end in .txt, folders do not.
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        found = read_archive(packed(*files.items(), method=method))
        assert found == tuple(ArchivedFile(name, data) for name, data in files.items())


def test_folders_and_what_systems_add_are_left_out() -> None:
    files = (
        ("report/", b""),
        ("report/a.md", b"text"),
        ("report/.DS_Store", b"x"),
        ("__MACOSX/report/._a.md", b"x"),
    )
    assert read_archive(packed(*files)) == (ArchivedFile("report/a.md", b"text"),)


@pytest.mark.parametrize(
    "name",
    [
        "../a.txt",
        "a/../../b.txt",
        "/etc/x",
        "C:/x.txt",
        "a//b",
        "a\u202eb",
        "a\x07b",
        "n" * 300,
        "dir/" + "n" * 250,
        "aux.",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    refused(packed((name, b"x")), "cannot be the name of a file")


def test_a_backslash_and_a_nul_in_a_name_are_refused() -> None:
    refused(patched(packed(("a-b.txt", b"x")), b"a-b.txt", b"a\\b.txt"), "not a plain name")
    refused(patched(packed(("a.txt-b", b"x")), b"a.txt-b", b"a.txt\x00b"), "not a plain name")


@pytest.mark.parametrize("mode", [LINK, DEVICE, FIFO])
def test_links_and_devices_are_refused(mode: int) -> None:
    refused(packed(("passwd", b"/etc/passwd"), mode=mode), "a link or a device")


@pytest.mark.parametrize("bit", [0x1, 0x40, 0x2000])
def test_what_is_encrypted_is_refused(bit: int) -> None:
    refused(in_table(packed(("a", b"x")), 8, struct.pack("<H", bit)), "is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(method: int) -> None:
    refused(packed(("a", b"x" * 100), method=method), "packed in an unknown way")


@pytest.mark.parametrize("names", [("a.txt", "A.TXT"), ("a", "a/b"), ("e\u0301.md", "\u00e9.md")])
def test_names_that_collide_are_refused(names: tuple[str, str]) -> None:
    refused(packed(*((name, b"x") for name in names)), "Rename one")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused() -> None:
    refused(packed(("a", b"1"), ("a", b"2")), "would be one file")


def _tar() -> bytes:
    return b"name".ljust(257, b"\0") + b"ustar\0".ljust(255, b"\0")


@pytest.mark.parametrize(
    "inner",
    [
        packed(("b", b"x")),
        b"\x1f\x8b\x08rest",
        b"BZh91AY",
        b"\xfd7zXZ\x00..",
        b"7z\xbc\xaf\x27\x1c..",
        b"Rar!\x1a\x07..",
        _tar(),
    ],
)
def test_an_archive_in_the_archive_is_not_opened(inner: bytes) -> None:
    refused(packed(("inner.bin", inner)), "is an archive itself")


def test_a_bomb_is_refused_by_what_it_says() -> None:
    refused(packed(("zeros", bytes(30 * 2**20))), "grows more than 100 times")
    refused(packed(*((f"z{i}", bytes(2**20)) for i in range(26))), "and 25 may be")


def test_a_header_that_lies_about_the_size_gives_no_more_than_it_said() -> None:
    """The table says 10 bytes, the data would be 30 MiB."""
    data = packed(("zeros", bytes(30 * 2**20)))
    lying = in_table(data, 24, struct.pack("<I", 10))
    tracemalloc.start()
    try:
        refused(lying, "damaged")
        assert tracemalloc.get_traced_memory()[1] < 4 * 2**20
    finally:
        tracemalloc.stop()


def test_the_budget_holds_while_unpacking() -> None:
    files = packed(("a", b"x" * 600), ("b", b"y" * 600), method=zipfile.ZIP_STORED)
    assert len(read_archive(files, max_bytes=1200)) == 2
    refused(files, "MiB", max_bytes=1199)
    with pytest.raises(TooLargeError):
        read_archive(files, max_bytes=1199)


def test_files_that_overlap_are_refused() -> None:
    """Two lines of the table that name the same bytes, as the best bombs do."""
    data = packed(("a", b"x" * 1000), ("b", b"y" * 1000), method=zipfile.ZIP_STORED)
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    overlapping = data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]
    refused(overlapping, "damaged")


def test_too_many_files_and_too_large_a_table_are_refused() -> None:
    refused(packed(*((f"f{i}", b"x") for i in range(101))), "there are 101 files")
    refused(packed(*((f"f{i}", b"x") for i in range(401))), "more than 400 names")


def test_a_table_whose_number_of_lines_is_a_lie_is_refused() -> None:
    data = packed(*((f"f{i}", b"x") for i in range(500)))
    few = data[:-14] + struct.pack("<HH", 1, 1) + data[-10:]
    refused(few, "more than 400 names")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: b"#!/bin/sh\n" + data,
        lambda data: data[:40] + data[50:],
        lambda data: b"",
        lambda data: b"PK\x03\x04",
        lambda data: data[:-2] + b"\x01\x00c",
        lambda data: b"PK\x05\x06" + bytes(18),
    ],
)
def test_what_is_no_whole_archive_is_refused(damage: Callable[[bytes], bytes]) -> None:
    refused(damage(packed(("a.txt", b"some text that is long enough"))), "archive")


@given(st.data())
@settings(max_examples=300)
def test_no_damage_gives_anything_but_files_or_a_refusal(data: st.DataObject) -> None:
    whole = bytearray(packed(("a.txt", b"text" * 50), ("b/c.txt", b"more" * 50)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_archive(bytes(whole), max_bytes=1000)
    except InvalidInputError:
        return
    assert sum(len(file.data) for file in found) <= 1000
