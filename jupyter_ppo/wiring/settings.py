"""The settings of the service, and the objects that they become."""

from __future__ import annotations

import getpass
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_data_dir
from traitlets import Dict, Enum, Float, Integer, List, Type, Unicode, default, validate

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import one_spelling
from jupyter_ppo.domain.ports import Sandbox
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.jobs.local import LocalWorkers
from jupyter_ppo.sandbox.examiners import Examiners
from jupyter_ppo.sandbox.kernel_slots import KernelSlots
from jupyter_ppo.sandbox.notebook import ContainerSandbox
from jupyter_ppo.services.daily import DailyWork
from jupyter_ppo.services.grading import GradingService
from jupyter_ppo.services.outlines import CourseOutlines
from jupyter_ppo.services.sealing import SealingService
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.storage.activity_retention import ActivityRetention
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import sqlite_url
from jupyter_ppo.storage.hints import Hints
from jupyter_ppo.storage.jobs import Jobs
from jupyter_ppo.storage.outlines import Outlines
from jupyter_ppo.storage.progress_recompute import Recomputing
from jupyter_ppo.storage.sealings import Sealings
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.wiring.badge_settings import BadgeSettings
from jupyter_ppo.wiring.database_settings import DatabaseSettings
from jupyter_ppo.wiring.drafting import build_drafting
from jupyter_ppo.wiring.execution_settings import ExecutionSettings, check_limits, made
from jupyter_ppo.wiring.forward_settings import ForwardSettings
from jupyter_ppo.wiring.limit_settings import LimitSettings
from jupyter_ppo.wiring.privacy_settings import PrivacySettings
from jupyter_ppo.wiring.service import Service
from jupyter_ppo.wiring.training_settings import TrainingSettings
from jupyter_ppo.wiring.tutor_settings import TutorSettings
from jupyter_ppo.wiring.use_cases import Parts, build_use_cases
from jupyter_ppo.wiring.webhook_settings import WebhookSettings


class UtcClock:
    """The server's clock."""

    def now(self) -> datetime:
        """Return the time, aware, UTC."""
        return datetime.now(UTC)


class PPOService(
    ForwardSettings,
    DatabaseSettings,
    ExecutionSettings,
    TrainingSettings,
    BadgeSettings,
    PrivacySettings,
    TutorSettings,
    LimitSettings,
    WebhookSettings,
):
    """The settings of the service (``c.PPOService.<name> = ...`` in a Jupyter config file)."""

    data_dir = Unicode(
        help="""Folder of the database, of every submitted notebook and of the training runs.
        Default: ``jupyter_ppo`` in Jupyter's data folder. Back up this folder, and only this.""",
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

    attempts_per_hour = Integer(
        20,
        min=0,
        help="""Attempts that a student may hand in for one assignment within an hour, so that
        nobody finds the hidden tests by trying. 0: no bound.""",
    ).tag(config=True)

    examiners_idle = Integer(
        min=0,
        max=64,
        help="""Containers for test cells that are kept for the next submission of the same
        assignment; each may use up to 2 GiB of memory while it grades. Default: as many as
        ``grading_workers``.""",
    ).tag(config=True)

    submissions_per_container = Integer(
        1,
        min=1,
        max=1000,
        help="""Submissions that one grading container serves, one after another. 1: each has a
        fresh container. More is faster, and weaker: docs/sandbox.md says what it gives up.""",
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

    @default("examiners_idle")
    def _default_examiners_idle(self) -> int:
        return self.grading_workers

    @default("owner")
    def _default_owner(self) -> str:
        return getpass.getuser()

    @validate("limits")
    def _check_limits(self, proposal: Any) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        check_limits("limits", value, [item.name for item in fields(SandboxLimits)])
        return value

    def caller(self, username: str) -> Caller:
        """Return who a signed-in person is, by the ``identity`` setting."""
        if self.identity == "owner":
            return Caller(self.owner, admin=True)
        return Caller(username, admin=username in self.admins)

    def is_admin(self, user: str) -> bool:
        """Whether ``user``, in the one spelling of names, is an admin by these settings."""
        if self.identity == "owner":
            return user == self.local_caller().user
        return user in map(one_spelling, self.admins)

    def local_caller(self) -> Caller:
        """Return the person at the command line: who can read the database is its owner."""
        return Caller(self.owner, admin=True)

    def build(self) -> Service:
        """Open (and if needed upgrade) the database and build the service; nothing runs yet.

        Raises ``DatabaseVersionError`` when the database belongs to a newer version.
        """
        place = self.build_training_place(self.identity)
        folder = Path(self.data_dir).absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = self.open_database()
        clock = UtcClock()
        courses, submissions = Courses(database), Submissions(database, clock)
        blobs, grader = FileBlobs(folder / "blobs"), NotebookGrader()
        jobs, limits = Jobs(database), SandboxLimits(**self.limits)
        kernels, programs = self.build_kernels(limits), self.build_programs()
        examiners = Examiners(idle=self.examiners_idle)
        slots = self._build_slots()
        sandbox: Sandbox = made(
            self.sandbox_class, ContainerSandbox, kernels=kernels, examiners=examiners, slots=slots
        )
        seeds, audit = PersonalSeeds(courses, blobs, grader), Audit(database)
        sealings = SealingService(
            courses=courses,
            sealings=Sealings(database),
            blobs=blobs,
            grader=grader,
            sandbox=sandbox,
            limits=limits,
            clock=clock,
            audit=audit,
        )
        grading = GradingService(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            grader=grader,
            sandbox=sandbox,
            sealings=sealings,
            seeds=seeds,
            hints=Hints(database),
            limits=limits,
            clock=clock,
        )
        workers = LocalWorkers(
            jobs, grading.work, workers=self.grading_workers, lease_seconds=self.lease_seconds
        )
        executions = self.build_executions(database, programs)
        outlines = CourseOutlines(outlines=Outlines(database), blobs=blobs)
        activity = ActivityRetention(database)
        gate = self.build_model_calls(database, clock)
        drafting = build_drafting(
            database=database,
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            seeds=seeds,
            gate=gate,
            clock=clock,
            audit=audit,
            workers=self.llm_concurrency,
            max_characters=self.llm_max_answer_characters,
            currency=self.llm_currency,
        )
        webhooks = self.build_webhooks(
            database=database, folder=folder, courses=courses, clock=clock, audit=audit
        )
        queue, training = self.build_training(database, folder / "runs", place, audit)
        use_cases = build_use_cases(
            Parts(
                database=database,
                courses=courses,
                submissions=submissions,
                blobs=blobs,
                grader=grader,
                sandbox=sandbox,
                sealings=sealings,
                executions=executions,
                training=training,
                credentials=self.build_credentials(database, folder, courses, audit),
                privacy=self.build_privacy(
                    database=database,
                    blobs=blobs,
                    runs=folder / "runs",
                    submissions=submissions,
                    clock=clock,
                    execute_history_days=self.execute_history_days,
                    sum_up=lambda: activity.sum_up(self.activity_days, clock.now()),
                    forget=executions.forget_old,
                ),
                gate=gate,
                drafting=drafting,
                ceilings=self.ceilings,
                currency=self.llm_currency,
                outlines=outlines,
                seeds=seeds,
                audit=audit,
                limits=limits,
                clock=clock,
                attempts_per_hour=self.attempts_per_hour,
                on_queued=workers.wake,
                is_admin=self.is_admin,
                webhooks=webhooks.service,
            )
        )
        return Service(
            database=database,
            jobs=jobs,
            use_cases=use_cases,
            grading=grading,
            sandbox=sandbox,
            programs=programs,
            kernels=kernels,
            examiners=examiners,
            slots=slots,
            workers=workers,
            training=queue,
            training_place=place,
            gate=gate,
            drafts=drafting.queue,
            senders=webhooks.senders,
            daily=DailyWork(
                {
                    "outlines": outlines.fill_all,
                    "evidence": Recomputing(database).add_missing,
                    "retention": use_cases.privacy.clean_up,
                    "model calls": gate.clean_up,
                    "webhooks": webhooks.forget,
                }
            ),
            drain_seconds=self.drain_seconds,
        )

    def _build_slots(self) -> KernelSlots | None:
        if self.submissions_per_container == 1:
            return None
        return KernelSlots(self.submissions_per_container, idle=self.grading_workers)
