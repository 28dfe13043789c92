"""Settings to objects: the only place that knows every class of the service.

The server extension and the command line build the same ``Service`` here.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from jupyter_core.paths import jupyter_data_dir
from traitlets import (
    Dict,
    Enum,
    Float,
    Integer,
    List,
    TraitError,
    Type,
    Unicode,
    default,
    validate,
)
from traitlets.config import LoggingConfigurable

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.ports import Sandbox
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.jobs.local import LocalWorkers
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.sandbox.reaper import reap_at_start
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.grading import GradingService
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.submissions import Submissions


class UtcClock:
    """The server's clock."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class Service:
    """Everything that a handler or a command works with.

    ``workers`` grade in threads of this process between ``start`` and ``stop``.
    """

    database: Database
    jobs: Jobs
    assessment: AssessmentService
    grading: GradingService
    sandbox: Sandbox
    workers: LocalWorkers
    drain_seconds: float

    def start(self) -> None:
        """Remove what a killed process left behind and begin to grade what is queued."""
        reap_at_start()
        self.workers.start()

    def stop(self) -> None:
        """Finish or give back the grading under way, then close the database."""
        self.workers.stop(self.drain_seconds)
        self.close()

    def close(self) -> None:
        """Close the database without having started."""
        self.database.close()


class PPOService(LoggingConfigurable):
    """The settings of the service (``c.PPOService.<name> = ...`` in a Jupyter config file)."""

    data_dir = Unicode(
        help="""Folder of the database and of every submitted notebook.
        Default: ``jupyter_ppo`` in Jupyter's data folder. Back up this folder, and only this.""",
    ).tag(config=True)

    db_url = Unicode(
        help="""SQLAlchemy URL of the database. Default: an SQLite file in ``data_dir``.
        A password in it is never logged.""",
    ).tag(config=True)

    identity = Enum(
        ["owner", "provider"],
        default_value="owner",
        help="""Who a signed-in person is. ``owner``: everyone who can sign in is the person who
        runs this server, and an admin (one person, one machine). ``provider``: the username that
        the server's identity provider gives, with the roles that the courses give them.""",
    ).tag(config=True)

    owner = Unicode(
        help="""Name under which the owner of this server submits. Default: the login name.""",
    ).tag(config=True)

    admins = List(
        Unicode(),
        help="""With ``identity = "provider"``: usernames that may do everything everywhere.""",
    ).tag(config=True)

    grading_workers = Integer(
        2,
        min=0,
        max=64,
        help="""Submissions graded at the same time in this process; each needs one container with
        ``memory_mb`` of memory. 0: this process never grades.""",
    ).tag(config=True)

    drain_seconds = Float(
        5.0,
        min=0,
        help="""Seconds that a stopping server waits for the grading under way. What is not done
        by then goes back to the queue and is graded after the next start.""",
    ).tag(config=True)

    lease_seconds = Float(
        60.0,
        min=1,
        help="""Seconds after which the work of a killed server may be taken over.""",
    ).tag(config=True)

    limits = Dict(
        help="""Limits of a grading container that differ from the defaults, for example
        ``{"cell_seconds": 60, "memory_mb": 4096}``. The table is in docs/sandbox.md.""",
    ).tag(config=True)

    sandbox_class = Type(
        default_value=ContainerSandbox,
        klass=object,
        help="""The class that runs submitted notebooks. It must run them in a container.""",
    ).tag(config=True)

    @default("data_dir")
    def _default_data_dir(self) -> str:
        return str(Path(jupyter_data_dir()) / "jupyter_ppo")

    @default("db_url")
    def _default_db_url(self) -> str:
        return sqlite_url(Path(self.data_dir) / "jupyter_ppo.sqlite")

    @default("owner")
    def _default_owner(self) -> str:
        return getpass.getuser()

    @validate("limits")
    def _check_limits(self, proposal: Any) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        known = {item.name for item in fields(SandboxLimits)}
        for name in value:
            if name not in known:
                msg = f"limits: {name!r} is not a limit; there are {', '.join(sorted(known))}."
                raise TraitError(msg)
        try:
            SandboxLimits(**value)
        except InvalidInputError as error:
            raise TraitError(error.message) from error
        return value

    def caller(self, username: str) -> Caller:
        """Return who a signed-in person is, by the ``identity`` setting."""
        if self.identity == "owner":
            return Caller(self.owner, admin=True)
        return Caller(username, admin=username in self.admins)

    def local_caller(self) -> Caller:
        """Return the person at the command line: who can read the database is its owner."""
        return Caller(self.owner, admin=True)

    def build(self) -> Service:
        """Open (and if needed upgrade) the database and build the service; nothing runs yet.

        Raises ``DatabaseVersionError`` when the database belongs to a newer version.
        """
        folder = Path(self.data_dir).absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = open_database(self.db_url)
        clock = UtcClock()
        courses, submissions = Courses(database), Submissions(database, clock)
        blobs, grader = FileBlobs(folder / "blobs"), NotebookGrader()
        jobs, sandbox = Jobs(database), cast(Sandbox, self.sandbox_class())
        grading = GradingService(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            grader=grader,
            sandbox=sandbox,
            limits=SandboxLimits(**self.limits),
            clock=clock,
        )
        workers = LocalWorkers(
            jobs, grading.work, workers=self.grading_workers, lease_seconds=self.lease_seconds
        )
        assessment = AssessmentService(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            grader=grader,
            audit=Audit(database),
            on_queued=workers.wake,
        )
        return Service(database, jobs, assessment, grading, sandbox, workers, self.drain_seconds)
