"""Backup, restore, verify: nothing is lost, and whatever is wrong is found."""

from __future__ import annotations

import gzip
import io
import tarfile
import threading
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from jupyter_ppo.autograde.entry_document import write_content
from jupyter_ppo.domain.activity import minute_of
from jupyter_ppo.domain.courses import AssignmentKind, CellKind, Exercise, Role
from jupyter_ppo.domain.entries import EntryContent, EntryFile
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, PPOError
from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.progress_events import EventKind, NewEvent, Receipt
from jupyter_ppo.domain.run_records import RunProgress, TrainingQuota
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.storage.backup import back_up
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.grades import store_grade
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.progress_recompute import Recomputing
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.restore import check_archive, restore
from jupyter_ppo.storage.standings import settle
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    Base,
    GradeRow,
    ProgressEventRow,
    ProgressStateRow,
    StandingRow,
    SubmissionRow,
)
from jupyter_ppo.storage.training_runs import TrainingRuns
from jupyter_ppo.storage.verify import verify


class Kept:
    """A database, its blobs, and one assignment to hand in for."""

    def __init__(self, database: Database, blobs: FileBlobs, clock: Any) -> None:
        self.database, self.blobs = database, blobs
        self.submissions = Submissions(database, clock)
        courses = Courses(database)
        self.course = courses.create_course("ppo", "PPO")
        self.assignment = courses.release(
            self.course.id,
            "one",
            source_digest=blobs.put(b"source"),
            release_digest=blobs.put(b"release"),
            exercises=[Exercise("gae", CellKind.TESTS, 2.0, 1)],
        )
        courses.enrol(self.course.id, "sam", Role.STUDENT)

    def submit(self, text: str, user: str = "sam") -> UUID:
        digest = self.blobs.put(text.encode())
        made = self.submissions.submit(self.assignment, user, digest, ["naïve"])
        with self.database.begin() as session:
            settle(session, self.assignment.id, [user])
        return made.id

    def grade(self, grade: Grade) -> None:
        self.blobs.put(b"feedback")
        with self.database.begin() as session:
            store_grade(session, grade)
            session.execute(update(GradeRow).values(feedback_digest=self.blobs.put(b"feedback")))
            settle(session, self.assignment.id)

    def rows(self) -> dict[str, list[Any]]:
        return rows_of(self.database)


def rows_of(database: Database) -> dict[str, list[Any]]:
    with database.session() as session:
        return {
            table.name: sorted(map(tuple, session.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Noon:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def kept(database: Database, tmp_path: Path, make_grade: Callable[[UUID, float], Grade]) -> Kept:
    made = Kept(database, FileBlobs(tmp_path / "blobs"), Noon())
    made.grade(make_grade(made.submit("first"), 1.5))
    made.submit("second")
    made.submit("third", "sue")
    active = NewEvent("key", EventKind.ACTIVE, "one", NOON, {"minutes": [minute_of(NOON)]})
    ProgressLog(database).append(made.course.id, "sam", [active], NOON)
    runs = TrainingRuns(database)
    run = runs.create("sue", "first", ("fast",), (RunSpec(),), TrainingQuota()).runs[0]
    runs.take_next("me", TrainingQuota())
    end = RunProgress(RunState.STOPPED, 2048, 100_352, "You did.", 1.5, 2.5, 1000)
    runs.record(run.id, "me", end)
    return made


@pytest.fixture
def empty(
    database: Database, new_database: Callable[[], Database], tmp_path: Path
) -> tuple[Database, FileBlobs]:
    folder = tmp_path / "empty"
    folder.mkdir()
    return new_database(), FileBlobs(folder / "blobs")


@pytest.fixture
def archive(kept: Kept, tmp_path: Path) -> Path:
    target = tmp_path / "all.tar.gz"
    back_up(kept.database, kept.blobs, target)
    return target


def test_everything_comes_back(
    kept: Kept, archive: Path, empty: tuple[Database, FileBlobs]
) -> None:
    seen: list[tuple[int, int]] = []
    manifest = restore(archive, *empty, progress=lambda done, total: seen.append((done, total)))
    assert rows_of(empty[0]) == kept.rows()
    digests = set(kept.blobs.digests())
    assert set(empty[1].digests()) == digests
    assert manifest.blobs == len(digests)
    assert all(empty[1].get(digest) == kept.blobs.get(digest) for digest in digests)
    assert verify(*empty).problems == ()
    assert seen[-1][0] <= seen[-1][1]


def test_progress_goes_on_where_it_was(
    kept: Kept, archive: Path, empty: tuple[Database, FileBlobs]
) -> None:
    restore(archive, *empty)
    log, states = ProgressLog(empty[0]), ProgressStates(empty[0])
    before = ProgressStates(kept.database).read(kept.course.id, "sam")
    assert before.works["one"].attempts == 2
    assert states.read(kept.course.id, "sam") == before
    events = [
        NewEvent(key, EventKind.ACTIVE, "one", NOON, {"minutes": [minute_of(NOON)]})
        for key in ("key", "other")
    ]
    receipts = log.append(kept.course.id, "sam", events, NOON)
    assert [each.receipt for each in receipts] == [Receipt.DUPLICATE, Receipt.ACCEPTED]
    assert states.read(kept.course.id, "sam").position > before.position
    assert Recomputing(empty[0]).recompute(kept.course.id).changed == 0


def test_verify_finds_progress_that_is_not_what_the_log_says(kept: Kept) -> None:
    with kept.database.begin() as session:
        session.execute(
            update(ProgressStateRow).where(ProgressStateRow.user == "sam").values(state={})
        )
    before = kept.rows()
    [problem] = verify(kept.database, kept.blobs).problems
    assert problem.startswith("progress of sam in course ")
    assert "not what the log says" in problem
    assert kept.rows() == before
    assert Recomputing(kept.database).recompute(kept.course.id).changed == 1
    assert verify(kept.database, kept.blobs).problems == ()


def test_verify_finds_evidence_that_the_log_lacks(kept: Kept) -> None:
    with kept.database.begin() as session:
        for table in (ProgressEventRow, ProgressStateRow):
            session.execute(delete(table).where(table.user == "sam"))
    [problem] = verify(kept.database, kept.blobs).problems
    assert problem.startswith("progress of sam in course ")
    assert "lacks evidence" in problem
    Recomputing(kept.database).recompute(kept.course.id)
    assert verify(kept.database, kept.blobs).problems == ()


def test_an_archive_is_for_its_owner_and_never_overwritten(kept: Kept, archive: Path) -> None:
    assert archive.stat().st_mode & 0o077 == 0
    before = archive.read_bytes()
    with pytest.raises(ConflictError):
        back_up(kept.database, kept.blobs, archive)
    assert archive.read_bytes() == before
    assert [path.name for path in archive.parent.glob(".part-*")] == []


def test_a_backup_under_load_has_all_that_was_receipted_before_it(
    kept: Kept, tmp_path: Path, empty: tuple[Database, FileBlobs]
) -> None:
    receipts: list[UUID] = []
    stop = threading.Event()

    def hand_in() -> None:
        while not stop.is_set():
            receipts.append(kept.submit(f"attempt {len(receipts)}", "sue"))

    student = threading.Thread(target=hand_in)
    student.start()
    try:
        while len(receipts) < 5:
            stop.wait(0.01)
        before = list(receipts)
        back_up(kept.database, kept.blobs, tmp_path / "load.tar.gz")
    finally:
        stop.set()
        student.join()
    restore(tmp_path / "load.tar.gz", *empty)
    with empty[0].session() as session:
        stored = {row.id: row.digest for row in session.scalars(select(SubmissionRow))}
    assert set(before) <= stored.keys()
    for digest in stored.values():
        empty[1].get(digest)
    assert verify(*empty).problems == ()


def test_nothing_is_restored_over_something(
    kept: Kept, archive: Path, empty: tuple[Database, FileBlobs]
) -> None:
    before = kept.rows()
    with pytest.raises(ConflictError) as not_empty:
        restore(archive, kept.database, empty[1])
    assert not_empty.value.field == "db_url"
    with pytest.raises(ConflictError) as blobs:
        restore(archive, empty[0], kept.blobs)
    assert blobs.value.field == "data_dir"
    assert kept.rows() == before
    assert not any(rows_of(empty[0]).values())


def test_a_flipped_bit_anywhere_is_found_and_nothing_is_restored(
    archive: Path, empty: tuple[Database, FileBlobs]
) -> None:
    whole = archive.read_bytes()
    for place in range(12, len(whole), max(1, len(whole) // 24)):
        torn = bytearray(whole)
        torn[place] ^= 0x10
        if _unpacked(bytes(torn)) == _unpacked(whole):
            continue  # a bit that fills up the last byte of a block means nothing
        archive.write_bytes(torn)
        with pytest.raises(PPOError):
            restore(archive, *empty)
    for length in (0, 5, len(whole) // 2, len(whole) - 4):
        archive.write_bytes(whole[:length])
        with pytest.raises(InvalidInputError):
            check_archive(archive)
    assert not any(rows_of(empty[0]).values())
    assert list(empty[1].digests()) == []
    assert list(archive.parent.glob("**/.restore-*")) == []


def _unpacked(archive: bytes) -> bytes | None:
    try:
        return gzip.decompress(archive)
    except (OSError, EOFError, zlib.error):
        return None


def _changed(archive: Path, change: Callable[[tarfile.TarInfo, bytes], Any]) -> None:
    """Write the archive anew with every member as ``change`` gives it."""
    target = io.BytesIO()
    with (
        tarfile.open(archive) as old,
        tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old:
            source = old.extractfile(member)
            assert source is not None
            for info, data in change(member, source.read()):
                info.size = len(data)
                new.addfile(info, io.BytesIO(data))
    archive.write_bytes(gzip.compress(target.getvalue()))


def _link(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("blobs/" + "a" * 64)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


ADDED = {
    "a symbolic link": _link(tarfile.SYMTYPE),
    "a hard link": _link(tarfile.LNKTYPE),
    "a device": _link(tarfile.CHRTYPE),
    "a path that leads out": tarfile.TarInfo("../outside"),
    "an absolute path": tarfile.TarInfo("/outside"),
    "a table of another program": tarfile.TarInfo("tables/passwords.jsonl"),
    "a blob that leads out": tarfile.TarInfo("blobs/../../outside"),
    "a blob with another content": tarfile.TarInfo("blobs/" + "a" * 64),
}


@pytest.mark.parametrize("added", ADDED.values(), ids=ADDED)
def test_an_archive_with_something_else_in_it_is_refused(
    archive: Path, added: tarfile.TarInfo
) -> None:
    def change(info: tarfile.TarInfo, data: bytes) -> list[tuple[tarfile.TarInfo, bytes]]:
        first = info.name == "manifest.json"
        return [(added, b""), (info, data)] if first else [(info, data)]

    _changed(archive, change)
    with pytest.raises(InvalidInputError):
        check_archive(archive)


def test_a_changed_table_or_a_missing_blob_in_an_archive_is_found(archive: Path) -> None:
    whole = archive.read_bytes()
    _changed(archive, lambda info, data: [(info, data.replace(b"sam", b"eve"))])
    with pytest.raises(InvalidInputError):
        check_archive(archive)
    archive.write_bytes(whole)
    _changed(archive, lambda info, data: [] if "blobs/" in info.name else [(info, data)])
    with pytest.raises(InvalidInputError):
        check_archive(archive)


def test_verify_finds_what_is_damaged_missing_wrong_or_left_over(kept: Kept) -> None:
    whole = verify(kept.database, kept.blobs)
    assert (whole.problems, whole.orphans, whole.submissions) == ((), 0, 3)
    kept.blobs.put(b"left over")
    first, second = kept.blobs.put(b"first"), kept.blobs.put(b"second")
    path = kept.blobs.root / first[:2] / first[2:]
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    (kept.blobs.root / second[:2] / second[2:]).unlink()
    with kept.database.begin() as session:
        session.execute(update(StandingRow).where(StandingRow.user == "sue").values(attempts=9))
        session.execute(update(GradeRow).values(points=99.0))
    before = kept.rows()
    found = verify(kept.database, kept.blobs)
    assert found.orphans == 1
    text = "\n".join(found.problems)
    assert f"blob {first}" in text
    assert f"blob {second}: it is missing" in text
    assert "standing of sue" in text
    assert "99 points" in text
    assert kept.rows() == before


def test_a_backup_names_what_was_lost_before_it(kept: Kept, tmp_path: Path) -> None:
    lost = kept.blobs.put(b"third")
    (kept.blobs.root / lost[:2] / lost[2:]).unlink()
    manifest = back_up(kept.database, kept.blobs, tmp_path / "part.tar.gz")
    assert manifest.missing == (lost,)
    assert check_archive(tmp_path / "part.tar.gz").missing == (lost,)


def test_the_files_of_an_entry_are_in_the_backup(kept: Kept, tmp_path: Path) -> None:
    file = EntryFile("plot.png", kept.blobs.put(b"a picture"), 9)
    content = kept.blobs.put(write_content(EntryContent(title="Mine", files=(file,))))
    with kept.database.begin() as session:
        session.execute(update(AssignmentRow).values(kind=AssignmentKind.ENTRY))
        session.execute(update(SubmissionRow).values(digest=content))
    assert back_up(kept.database, kept.blobs, tmp_path / "entry.tar.gz").missing == ()
    with tarfile.open(tmp_path / "entry.tar.gz") as tar:
        assert f"blobs/{file.digest}" in tar.getnames()
    (kept.blobs.root / file.digest[:2] / file.digest[2:]).unlink()
    assert f"blob {file.digest}: it is missing" in "".join(
        verify(kept.database, kept.blobs).problems
    )
