"""What is kept of people and for how long, and the names that stand in place of erased ones."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

#: What stands for everybody else in a person's export.
OTHER_PERSON = "another person"

_STAND_IN = re.compile(r"erased-[0-9a-f]{8}")


def new_stand_in() -> str:
    """Return a name for an erased person: random, so that nothing leads back to who it was."""
    return f"erased-{secrets.token_hex(4)}"


def is_stand_in(user: str) -> bool:
    """Whether a username is of the form that stands for erased people; nobody may have one."""
    return _STAND_IN.fullmatch(user) is not None


@dataclass(frozen=True, slots=True)
class Erasure:
    """That a person's data were erased; ``counts`` says of how many things, by their kind.

    ``waiting`` files are still on the disk: somebody touched them a moment ago, or they could not
    be removed. The next clean-up tries again. The row holds nothing that leads to the person.
    """

    id: UUID
    stand_in: str
    erased_at: datetime
    erased_by: str
    counts: Mapping[str, int]
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What an erasure has to remove from the disk: blobs by digest, folders of runs by id."""

    erasure_id: UUID
    blobs: tuple[str, ...]
    runs: tuple[UUID, ...]

    @property
    def files(self) -> int:
        """How many of them there are."""
        return len(self.blobs) + len(self.runs)


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of what is kept: where, how long, why, and who sees it beside admins."""

    what: str
    where: str
    how_long: str
    why: str
    who: str


@dataclass(frozen=True, slots=True)
class Retention:
    """After how many days what a person did is summed up, and what they ran is deleted."""

    activity_days: int
    execute_history_days: float


@dataclass(frozen=True, slots=True)
class Retained:
    """What one clean-up did: events summed up, executions deleted, files of erasures removed."""

    events: int
    executions: int
    files: int


@dataclass(frozen=True, slots=True)
class PrivacyNotice:
    """What anybody who signs in may read: how long what is kept, and that nothing is sent."""

    retention: Retention
    kept: tuple[Kept, ...] = field(default=())


def notice(retention: Retention) -> PrivacyNotice:
    """Return what is kept under these settings; docs/privacy.md has the same rows."""
    erased = "until the person's data are erased"
    return PrivacyNotice(
        retention,
        (
            Kept(
                "username, role, groups; names, e-mail and LMS id where staff gave them",
                "database",
                erased,
                "to know whose work is whose",
                "you, graders of the course",
            ),
            Kept(
                "what you hand in, with times and attempts",
                "database, folder of files",
                erased,
                "to grade it, and to grade it again",
                "you, graders of the course",
            ),
            Kept(
                "grades, marks, comments and their history",
                "database, folder of files",
                "points stay under a stand-in name; texts until the person's data are erased",
                "to give feedback, and to explain a grade",
                "you once they are released, graders of the course",
            ),
            Kept(
                "progress: what you handed in and which released grade counts",
                "database",
                "submission and points stay under a stand-in name",
                "to show you where you stand",
                "you, graders of the course",
            ),
            Kept(
                "activity: minutes at a notebook, opened, checked (you can turn it off)",
                "database",
                f"{retention.activity_days} days; then one sum for each day is left",
                "to show you your time on task; never for grades or achievements",
                "you, graders of the course",
            ),
            Kept("achievements", "database", erased, "to show and prove them", "you, graders"),
            Kept("preferences", "database", erased, "to remember them", "you"),
            Kept(
                "API tokens: name, course, rights, when and how often used, a digest of the secret",
                "database",
                erased,
                "to know a program of yours, and to end its token",
                "you, instructors of the course",
            ),
            Kept(
                "what webhooks were told: ids, states and times of hand-ins and grades, no names",
                "database; the receiver, if an instructor of the course named one",
                "the days of the setting webhook_days",
                "to tell another program that there is something to fetch",
                "instructors of the course",
            ),
            Kept(
                "code that you run in the sandbox, and its output",
                "database",
                f"{retention.execute_history_days:g} days, at most the newest 1,000",
                "to show it to you again, and for your quota",
                "you",
            ),
            Kept(
                "validations of your notebooks",
                "database, folder of files",
                erased,
                "to show what they gave",
                "you, graders of the course",
            ),
            Kept(
                "hints and explanations that you were given, self-checks of your answers",
                "database",
                erased,
                "to show them again, to go on from the last hint, to discuss an answer",
                "you; of self-checks graders of the course",
            ),
            Kept(
                "what a language model was sent of your work and what it answered, if there is one",
                "database; the provider of the model, without names",
                "the texts for the days of the setting llm_keep_days; counts and costs for ever",
                "to see what was asked, and to count what it costs",
                "graders of the course",
            ),
            Kept(
                "training runs: settings, curves, checkpoints, models, time used",
                "database, folder of runs",
                "until you delete them or your data are erased",
                "to go on with them and to compare them",
                "you",
            ),
            Kept(
                "leaderboard: your pseudonym, if you joined",
                "database",
                "until you leave or your data are erased",
                "to rank policies",
                "the pseudonym: everybody in the course",
            ),
            Kept(
                "audit log: who changed what and when",
                "database",
                "for ever; after an erasure under a stand-in name",
                "to find out what happened",
                "nobody",
            ),
        ),
    )
