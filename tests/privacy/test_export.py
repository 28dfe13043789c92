"""An export holds everything about one person, and nothing that they may not see."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.privacy import OTHER_PERSON, Retention
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.services.privacy import PrivacyService
from jupyter_ppo.services.privacy_archive import Part, archive, document, lines
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.personal_data import DECISIONS
from jupyter_ppo.storage.personal_records import PersonalRecords
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.training.files import RunDirectory

ADMIN = Caller("ada", admin=True)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def privacy(known: Any, tmp_path: Path) -> PrivacyService:
    return PrivacyService(
        records=PersonalRecords(known.database),
        erasures=Erasures(known.database, known.blobs, grace=timedelta(minutes=-1)),
        submissions=Submissions(known.database, FixedClock()),
        blobs=known.blobs,
        runs=tmp_path / "runs",
        clock=FixedClock(),
        retention=Retention(180, 90),
        sum_up=lambda: 7,
        forget=lambda: 3,
    )


@pytest.fixture
def export(known: Any, privacy: PrivacyService) -> Callable[[], dict[str, bytes]]:
    def export() -> dict[str, bytes]:
        return unpacked(privacy.my_data(Caller(known.user)))

    return export


def unpacked(pieces: Iterator[bytes]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def read_lines(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.splitlines()]


def test_every_file_that_a_decision_names_is_there_and_has_what_it_says(
    known: Any, export: Any
) -> None:
    files = export()
    named = {rule.file for rules in DECISIONS.values() for rule in rules.columns.values()} - {""}
    assert named <= set(files)
    of_the_person = {
        "account.json", "submissions.jsonl", "executions.jsonl", "trials.jsonl",
        "training_runs.jsonl",
    }  # fmt: skip
    for name in of_the_person:
        assert known.secret.encode() in files[name], name
    account = json.loads(files["account.json"])
    (course,) = account["courses"]
    assert (course["role"], course["groups"]) == ("student", ["blue"])
    assert account["leaderboards"][0]["pseudonym"] == f"The {known.secret}"
    assert account["preferences"]["document"] == {"pseudonym": known.secret}
    assert json.loads(files["extensions.json"])[0]["seconds"] == 3600
    assert json.loads(files["achievements.json"])[0]["rule_id"] == "first-steps"
    assert json.loads(files["training_use.json"])[0]["cpu_seconds"] == 5.0
    kinds = {each["kind"] for each in read_lines(files["progress_events.jsonl"])}
    assert {"opened", "active", "submitted", "graded"} <= kinds


def test_every_attempt_is_there_as_it_was_handed_in(known: Any, export: Any) -> None:
    files = export()
    attempts = read_lines(files["submissions.jsonl"])
    assert len(attempts) == 4
    for attempt in attempts:
        if not attempt["is_entry"]:
            assert files[attempt["file"]] == known.blobs.get(attempt["digest"])
    pictures = [name for name in files if name.endswith("files/a/picture.png")]
    assert [files[name] for name in pictures] == [f"{known.secret} picture".encode()]
    assert len([name for name in files if name.endswith("feedback.html")]) == 2


def test_a_released_grade_is_there_with_its_comment_and_another_one_is_not(
    known: Any, export: Any
) -> None:
    attempts = {each["id"]: each for each in read_lines(export()["submissions.jsonl"])}
    grade = attempts[str(known.released)]["grade"]
    gae, why = grade["exercises"]
    assert grade["points"] == 3.0
    assert why["comment"] == f"Well done, {known.secret}"
    assert gae["checks"][0]["message"] == f"{known.secret}?"
    assert attempts[str(known.entry)]["outcome"]["summary"] == f"On {known.secret}"
    others = [each for key, each in attempts.items() if key not in
              {str(known.released), str(known.entry)}]  # fmt: skip
    assert [each["grade"] for each in others] == [None, None]


def test_no_name_of_others_no_draft_and_no_path_is_in_any_file(
    known: Any, export: Any, tmp_path: Path
) -> None:
    foreign = [rf"\b{known.other}\b", rf"\b{known.grader}\b", r"\bines\b"]
    for name, data in export().items():
        text = data.decode()
        for pattern in [*foreign, re.escape(known.draft), re.escape(str(tmp_path))]:
            assert not re.search(pattern, text), (name, pattern)
        assert "private_note" not in text or name == "as_staff.jsonl"


def test_what_they_did_to_others_is_there_without_who_it_was(known: Any, export: Any) -> None:
    files = export()
    events = read_lines(files["audit.jsonl"])
    enrolled = {each["subject"]: each["who"] for each in events if "member" in each["action"]}
    assert enrolled == {f"ppo/{known.user}": "staff", f"ppo/{OTHER_PERSON}": known.user}
    written = read_lines(files["as_staff.jsonl"])
    assert {each["what"] for each in written} == {"version", "batch", "grade", "outcome"}
    assert b"Try again" in files["as_staff.jsonl"]


def test_a_lost_file_does_not_keep_the_rest_from_its_person(known: Any, export: Any) -> None:
    digest = next(iter(known.own_blobs))
    os.unlink(known.blobs.root / digest[:2] / digest[2:])
    assert len(read_lines(export()["submissions.jsonl"])) == 4


def test_somebody_of_whom_nothing_is_kept_gets_files_without_anything(
    privacy: PrivacyService,
) -> None:
    files = unpacked(privacy.my_data(Caller("new")))
    assert b"What this server keeps of new" in files["README.txt"]
    assert files["submissions.jsonl"] == b""


def test_only_an_admin_gets_or_erases_the_data_of_others(
    known: Any, privacy: PrivacyService
) -> None:
    assert unpacked(privacy.data_of(ADMIN, known.user))
    with pytest.raises(NotFoundError):
        privacy.data_of(ADMIN, "nobody")
    sam = Caller(known.user)
    for refused in (
        lambda: privacy.data_of(sam, known.other),
        lambda: privacy.erase(sam, known.other, known.other),
        lambda: privacy.erase(sam, known.user, known.user),
        lambda: privacy.retain(sam),
    ):
        with pytest.raises(ForbiddenError):
            refused()


def test_erasing_needs_the_name_once_more(known: Any, privacy: PrivacyService) -> None:
    before = known.everything()
    with pytest.raises(InvalidInputError) as refused:
        privacy.erase(ADMIN, known.user, known.other)
    assert refused.value.field == "confirm"
    assert known.everything() == before


def test_erasing_removes_folders_of_runs_and_files_at_once(
    known: Any, privacy: PrivacyService, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / str(known.run)
    folder.mkdir(parents=True)
    RunDirectory(folder).create(RunSpec(), name="x", tags=(), state=RunState.QUEUED)
    other = tmp_path / "runs" / "of another"
    other.mkdir()
    erased = privacy.erase(ADMIN, known.user, known.user)
    assert erased.waiting == 0
    assert erased.counts["submissions"] == 4
    assert not folder.exists()
    assert other.exists()
    assert not known.own_blobs & set(known.blobs.digests())
    with pytest.raises(NotFoundError):
        privacy.data_of(ADMIN, known.user)
    files = unpacked(privacy.data_of(ADMIN, erased.stand_in))
    assert known.secret.encode() not in b"".join(files.values())


def test_the_daily_clean_up_removes_what_was_left_of_an_erasure(
    known: Any, privacy: PrivacyService
) -> None:
    Erasures(known.database, known.blobs).erase(known.user, "ada")  # killed before the files
    done = privacy.clean_up()
    assert (done.events, done.executions) == (7, 3)
    assert done.files == len(known.own_blobs) + 2  # a shared one, and a folder that never was
    assert privacy.clean_up().files == 0


def test_a_large_file_is_sent_in_pieces() -> None:
    data = [os.urandom(2**16) for _ in range(64)]
    pieces = list(archive([Part("large", data)], NOW))
    assert max(map(len, pieces)) < 2**19
    assert unpacked(iter(pieces)) == {"large": b"".join(data)}


def test_nothing_is_read_before_it_is_asked_for() -> None:
    read: list[int] = []

    def content() -> Iterator[bytes]:
        for index in range(64):
            read.append(index)
            yield os.urandom(2**16)

    pieces = archive([Part("large", content())], NOW)
    next(pieces)
    assert len(read) < 4
    pieces.close()  # type: ignore[attr-defined]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_every_plain_value_is_json_that_any_reader_takes(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    (text,) = document(value)
    (line,) = lines([value])
    assert b"\n" not in line[:-1]
    read = json.loads(text, parse_constant=refuse)
    assert read == json.loads(line, parse_constant=refuse)
