"""A person's data: what is kept, an export of all of it, and erasing it."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from jupyter_ppo.autograde.entry_document import read_content
from jupyter_ppo.autograde.feedback import with_marks
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import one_spelling
from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError, NotFoundError, PPOError
from jupyter_ppo.domain.ports import BlobStore, Clock, SubmissionStore
from jupyter_ppo.domain.privacy import (
    Erasure,
    Leftovers,
    PrivacyNotice,
    Retained,
    Retention,
    notice,
)
from jupyter_ppo.services.privacy_archive import Part, archive, document, lines, readme
from jupyter_ppo.services.training_folders import RunFolders

_log = logging.getLogger(__name__)

Record = dict[str, Any]


class RecordStore(Protocol):
    """Everything that is kept of one person, as they may see it."""

    def knows(self, user: str) -> bool:
        """Whether anything is kept of a person."""

    def account(self, user: str) -> Record:
        """Return courses, pseudonyms and preferences."""

    def extensions(self, user: str) -> list[Record]:
        """Return the person's own extensions."""

    def achievements(self, user: str) -> list[Record]:
        """Return the person's achievements."""

    def training_use(self, user: str) -> list[Record]:
        """Return the processor time of the person's runs."""

    def submissions(self, user: str) -> Iterator[Record]:
        """Yield every attempt with its released grade."""

    def progress_events(self, user: str) -> Iterator[Record]:
        """Yield the person's log of progress."""

    def executions(self, user: str) -> Iterator[Record]:
        """Yield what the person ran."""

    def trials(self, user: str) -> Iterator[Record]:
        """Yield the person's trials."""

    def hints(self, user: str) -> Iterator[Record]:
        """Yield the hints that the person was given."""

    def explanations(self, user: str) -> Iterator[Record]:
        """Yield what the person had explained."""

    def self_checks(self, user: str) -> list[Record]:
        """Return what the person thinks of their own answers."""

    def model_calls(self, user: str) -> Iterator[Record]:
        """Yield what language models were sent of the person's work."""

    def training_runs(self, user: str) -> Iterator[Record]:
        """Yield the person's training runs."""

    def audit(self, user: str) -> Iterator[Record]:
        """Yield what the person did."""

    def as_staff(self, user: str) -> Iterator[Record]:
        """Yield what the person wrote as staff."""


class ErasureStore(Protocol):
    """Erasing, and what it leaves on the disk to be removed."""

    def erase(self, user: str, by: str) -> Erasure:
        """Put a stand-in in the person's place and delete what is theirs, in one transaction."""

    def leftovers(self) -> tuple[Leftovers, ...]:
        """Return what erasures have left on the disk."""

    def remove_blobs(self, digests: Collection[str]) -> set[str]:
        """Remove blobs that nothing refers to; return those that are done with."""

    def done(self, erasure_id: UUID, blobs: Collection[str], runs: Collection[UUID]) -> Erasure:
        """Forget that these files are to be removed."""


class PrivacyService:
    """Use cases of privacy. Everybody has their own data; those of others only admins.

    ``sum_up`` replaces old activity by sums and returns of how many events, ``forget`` deletes old
    executions and returns how many: both as the settings in ``retention`` say.
    """

    def __init__(
        self,
        *,
        records: RecordStore,
        erasures: ErasureStore,
        submissions: SubmissionStore,
        blobs: BlobStore,
        runs: Path,
        clock: Clock,
        retention: Retention,
        sum_up: Callable[[], int],
        forget: Callable[[], int],
    ) -> None:
        self._records = records
        self._erasures = erasures
        self._submissions = submissions
        self._blobs = blobs
        self._folders = RunFolders(runs)
        self._clock = clock
        self._retention = retention
        self._sum_up = sum_up
        self._forget = forget

    def notice(self, _caller: Caller) -> PrivacyNotice:
        """Return what is kept, for how long and why. Everybody who signs in."""
        return notice(self._retention)

    # -- export ------------------------------------------------------------------------------

    def my_data(self, caller: Caller) -> Iterator[bytes]:
        """Return a ZIP archive of everything about the caller, made while it is read."""
        return self._archive(caller.user)

    def data_of(self, caller: Caller, user: str) -> Iterator[bytes]:
        """Return the same of somebody else, as they would get it. Admins only.

        Raises ``NotFoundError`` when nothing is kept of them.
        """
        _check_admin(caller)
        user = one_spelling(user)
        if not self._records.knows(user):
            raise _nobody(user)
        return self._archive(user)

    def _archive(self, user: str) -> Iterator[bytes]:
        return archive(self._parts(user), self._clock.now())

    def _parts(self, user: str) -> Iterator[Part]:
        records = self._records
        yield Part("README.txt", [readme(user, self._clock.now())])
        yield Part("account.json", document(records.account(user)))
        yield Part("submissions.jsonl", lines(map(_submission_line, records.submissions(user))))
        for record in records.submissions(user):
            yield from self._handed_in(record)
        yield Part("extensions.json", document(records.extensions(user)))
        yield Part("progress_events.jsonl", lines(records.progress_events(user)))
        yield Part("achievements.json", document(records.achievements(user)))
        yield Part("executions.jsonl", lines(records.executions(user)))
        yield Part("trials.jsonl", lines(records.trials(user)))
        yield Part("hints.jsonl", lines(records.hints(user)))
        yield Part("explanations.jsonl", lines(records.explanations(user)))
        yield Part("self_checks.json", document(records.self_checks(user)))
        yield Part("model_calls.jsonl", lines(records.model_calls(user)))
        yield Part("training_runs.jsonl", lines(records.training_runs(user)))
        yield Part("training_use.json", document(records.training_use(user)))
        yield Part("audit.jsonl", lines(records.audit(user)))
        yield Part("as_staff.jsonl", lines(records.as_staff(user)))

    def _handed_in(self, record: Record) -> Iterator[Part]:
        """Yield what was handed in, and the feedback page if the grade is released."""
        folder = _folder(record)
        data = self._blob(record["digest"])
        if data is not None and not record["is_entry"]:
            yield Part(_file(record), [data])
        elif data is not None:
            content = json.loads(data)
            yield Part(_file(record), document(content))
            for file in read_content(data).files:
                held = self._blob(file.digest)
                if held is not None:
                    yield Part(f"{folder}/files/{file.name}", [held])
        if record["grade"] is not None and record["deleted_at"] is None:
            page = self._feedback(UUID(record["id"]))
            if page is not None:
                yield Part(f"{folder}/feedback.html", [page])

    def _feedback(self, submission_id: UUID) -> bytes | None:
        """Return the feedback page as its student sees it."""
        try:
            submission = self._submissions.submission(submission_id)
        except NotFoundError:  # its assignment or course is in the trash
            return None
        grade = self._submissions.grade(submission_id)
        if grade is None or submission.released_at is None:
            return None
        page = self._blob(grade.feedback_digest)
        if page is None:
            return None
        return with_marks(page, grade.for_student(), submission.for_student())

    def _blob(self, digest: str) -> bytes | None:
        """Return a stored file; None when it is lost, which must not keep the rest from going."""
        try:
            return self._blobs.get(digest)
        except PPOError as error:
            _log.warning("An export is made without a file: %s", error)
            return None

    # -- erase -------------------------------------------------------------------------------

    def erase(self, caller: Caller, user: str, confirm: str) -> Erasure:
        """Erase a person: what is theirs is deleted, a stand-in takes their place. Admins only.

        ``confirm`` is the username once more. Points stay, under the stand-in; whoever comes back
        under the name is a new person. Raises ``InvalidInputError`` (field ``confirm``),
        ``NotFoundError`` when nothing is kept of them, and ``ConflictError`` naming what of theirs
        runs. Where it was cut short, doing it again or the daily clean-up goes on.
        """
        _check_admin(caller)
        user = one_spelling(user)
        if one_spelling(confirm) != user:
            msg = f"confirm: write the username {user!r} here. Nothing can bring the data back."
            raise InvalidInputError(msg, field="confirm")
        self.remove_leftovers()  # of an earlier one that was cut short
        erased = self._erasures.erase(user, caller.user)
        _log.info("Somebody was erased and is %s from now on.", erased.stand_in)
        return self.remove_leftovers().get(erased.id, erased)

    def remove_leftovers(self) -> dict[UUID, Erasure]:
        """Remove from the disk what erasures have left there; return these, as they are then."""
        found: dict[UUID, Erasure] = {}
        for left in self._erasures.leftovers():
            for run_id in left.runs:
                self._folders.remove(run_id)
            runs = [each for each in left.runs if not os.path.lexists(self._folders.path(each))]
            blobs = self._erasures.remove_blobs(left.blobs) if left.blobs else set()
            found[left.erasure_id] = self._erasures.done(left.erasure_id, blobs, runs)
        return found

    # -- retention ---------------------------------------------------------------------------

    def retain(self, caller: Caller) -> Retained:
        """Do the daily clean-up now: see ``clean_up``. Admins only."""
        _check_admin(caller)
        return self.clean_up()

    def clean_up(self) -> Retained:
        """Sum up old activity, delete old executions, remove what erasures left on the disk."""
        before = sum(left.files for left in self._erasures.leftovers())
        after = sum(erasure.waiting for erasure in self.remove_leftovers().values())
        return Retained(self._sum_up(), self._forget(), before - after)


def _submission_line(record: Record) -> Record:
    return record | {"file": _file(record)}


def _folder(record: Record) -> str:
    """Return where an attempt lies in the archive; names of courses and assignments are plain."""
    return f"submissions/{record['course']}/{record['assignment']}/attempt-{record['attempt']}"


def _file(record: Record) -> str:
    return f"{_folder(record)}/{'entry.json' if record['is_entry'] else 'notebook.ipynb'}"


def _check_admin(caller: Caller) -> None:
    if not caller.admin:
        msg = "Only an admin of this server may do this. Ask one; your own data are at /me/data."
        raise ForbiddenError(msg)


def _nobody(user: str) -> NotFoundError:
    msg = f"user: nothing is kept of {user[:120]!r}. Look at the spelling of the name."
    return NotFoundError(msg, field="user")
