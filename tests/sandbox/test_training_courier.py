"""What is brought out of a run's folder in which anything may lie."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jupyter_ppo.sandbox.inside.courier import Courier

FILE_BYTES = 2**20
Message = tuple[bytes, ...]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "checkpoints").mkdir()
    return tmp_path


@pytest.fixture
def bring(folder: Path) -> Iterator[Callable[..., list[Message]]]:
    """Look at the folder once, and return what is sent."""
    sent: list[Message] = []
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    (folder / "events.jsonl").write_bytes(b"known\n")
    (folder / "checkpoints" / "000000000001.ckpt").write_bytes(b"known")
    courier = Courier(
        number,
        lambda parts: sent.append(tuple(parts)),
        file_bytes=FILE_BYTES,
        at_end=["model.zip"],
    )

    def look(*, is_last: bool = False) -> list[Message]:
        sent.clear()
        for _ in courier.round(is_last=is_last):
            pass
        return list(sent)

    yield look
    os.close(number)


def test_a_checkpoint_comes_after_its_lines_and_the_state_after_both(
    folder: Path, bring: Callable[..., list[Message]]
) -> None:
    (folder / "state.json").write_bytes(b"{}")
    (folder / "checkpoints" / "000000000128.ckpt").write_bytes(b"checkpoint")
    (folder / "metrics.jsonl").write_bytes(b"points\n")
    (folder / "model.zip").write_bytes(b"model")
    assert bring() == [
        (b"lines", b"metrics.jsonl", b"points\n"),
        (b"file", b"checkpoints/000000000128.ckpt", b"10"),
        (b"part", b"checkpoint"),
        (b"state", b"{}"),
    ]
    assert bring() == []
    assert bring(is_last=True) == [(b"file", b"model.zip", b"5"), (b"part", b"model")]


def test_only_what_has_grown_is_sent_and_only_the_newest_checkpoint(
    folder: Path, bring: Callable[..., list[Message]]
) -> None:
    with (folder / "events.jsonl").open("ab") as file:
        file.write(b"new\n")
    for step in (2, 4, 3):
        path = folder / "checkpoints" / f"{step:012d}.ckpt"
        path.write_bytes(b"%d" % step)
        os.utime(path, ns=(0, step * 10**9))
    assert bring() == [
        (b"lines", b"events.jsonl", b"new\n"),
        (b"file", b"checkpoints/000000000004.ckpt", b"1"),
        (b"part", b"4"),
    ]


def test_a_checkpoint_that_was_written_anew_is_sent_again(
    folder: Path, bring: Callable[..., list[Message]]
) -> None:
    new = folder / "checkpoints" / "new"
    new.write_bytes(b"other")
    new.replace(folder / "checkpoints" / "000000000001.ckpt")
    assert (b"part", b"other") in bring()


def test_a_large_file_comes_in_pieces_and_is_dropped_when_it_gets_shorter(folder: Path) -> None:
    sent: list[Message] = []
    path = folder / "checkpoints" / "000000000002.ckpt"
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    courier = Courier(
        number, lambda parts: sent.append(tuple(parts)), file_bytes=FILE_BYTES, at_end=[]
    )
    path.write_bytes(bytes(FILE_BYTES))
    steps = courier.round()
    next(steps)
    os.truncate(path, 1000)
    list(steps)
    os.close(number)
    assert [message[0] for message in sent] == [b"file", b"part", b"drop"]


@pytest.mark.parametrize("name", ["metrics.jsonl", "state.json", "checkpoints/000000000009.ckpt"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "link to a device", "nothing"])
def test_what_is_no_file_is_neither_read_nor_waited_for(
    folder: Path, bring: Callable[..., list[Message]], name: str, kind: str, tmp_path: Path
) -> None:
    secret, path = tmp_path / "secret", folder / name
    secret.write_bytes(b"secret\n")
    match kind:
        case "link":
            path.symlink_to(secret)
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "link to a device":
            path.symlink_to("/dev/zero")
    assert bring(is_last=True) == []


def test_a_folder_that_was_replaced_by_a_link_is_not_followed(
    folder: Path, bring: Callable[..., list[Message]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "000000000005.ckpt").write_bytes(b"secret")
    (folder / "checkpoints").rename(folder / "moved")
    (folder / "checkpoints").symlink_to(other)
    assert bring() == []


def test_files_that_are_too_long_are_not_sent(
    folder: Path, bring: Callable[..., list[Message]]
) -> None:
    with (folder / "model.zip").open("wb") as file:
        file.truncate(FILE_BYTES + 1)
    with (folder / "state.json").open("wb") as file:
        file.truncate(10 * FILE_BYTES)
    (folder / "checkpoints" / "000000000003.ckpt").touch()
    assert bring(is_last=True) == []


def test_names_that_no_worker_gives_are_left_alone(
    folder: Path, bring: Callable[..., list[Message]]
) -> None:
    (folder / "checkpoints" / "..ckpt").write_bytes(b"x")
    (folder / "checkpoints" / "000000000003.ckpt.tmp").write_bytes(b"x")
    (folder / "spec.json").write_bytes(b"x")
    for number in range(3000):
        (folder / "checkpoints" / f"file{number}").touch()
    assert bring(is_last=True) == []
