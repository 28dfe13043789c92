"""Everything that a handler or a command works with, and the order in which it starts and stops."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from jupyter_ppo.domain.ports import Programs, Sandbox
from jupyter_ppo.domain.run_records import TrainingPlace
from jupyter_ppo.jobs.local import LocalWorkers
from jupyter_ppo.jobs.senders import Senders
from jupyter_ppo.sandbox import provisioner
from jupyter_ppo.sandbox.examiners import Examiners
from jupyter_ppo.sandbox.kernel_slots import KernelSlots
from jupyter_ppo.sandbox.reaper import reap_at_start
from jupyter_ppo.sandbox.warm_kernels import KernelPools
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.daily import DailyWork
from jupyter_ppo.services.draft_queue import DraftQueue
from jupyter_ppo.services.execution import ExecutionService
from jupyter_ppo.services.grading import GradingService
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.sealing import SealingService
from jupyter_ppo.services.training_queue import TrainingQueue
from jupyter_ppo.services.use_cases import UseCases
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.jobs import Jobs


class Part(StrEnum):
    """What a process does by itself, whether or not it answers requests."""

    GRADING = "grading"
    TRAINING = "training"
    DRAFTS = "drafts"
    WEBHOOKS = "webhooks"
    DAILY = "daily"


@runtime_checkable
class Kept(Protocol):
    """What keeps containers ready while a server runs."""

    def start(self) -> None:
        """Begin to make them, in the background."""

    def close(self) -> None:
        """End what runs and what waits."""


@dataclass(frozen=True)
class Service:
    """Everything that a handler or a command works with.

    ``workers`` grade in threads of this process, ``training`` has runs trained at
    ``training_place``, containers are kept ready, and ``daily`` work is done, between ``start`` and
    ``stop``.
    """

    database: Database
    jobs: Jobs
    use_cases: UseCases
    grading: GradingService
    sandbox: Sandbox
    programs: Programs
    kernels: KernelPools
    examiners: Examiners
    slots: KernelSlots | None
    workers: LocalWorkers
    training: TrainingQueue
    training_place: TrainingPlace
    gate: ModelCalls
    drafts: DraftQueue
    senders: Senders
    daily: DailyWork
    drain_seconds: float

    @property
    def assessment(self) -> AssessmentService:
        """The use cases of courses, assignments and submissions."""
        return self.use_cases.assessment

    @property
    def sealings(self) -> SealingService:
        """The use cases of sealing."""
        return self.use_cases.sealings

    @property
    def executions(self) -> ExecutionService:
        """The use cases of running code."""
        return self.use_cases.executions

    def start(self) -> None:
        """Remove what a killed process left behind and begin to grade what is queued.

        Containers are made ready from here on, once there is an engine and an image.
        """
        reap_at_start()
        self.executions.start()
        self.use_cases.trials.start()
        if isinstance(self.programs, Kept):
            self.programs.start()
        self.kernels.start()
        provisioner.use_kernels(self.kernels)
        self.workers.start()
        self.training.start()
        self.drafts.start()
        self.senders.start()
        self.daily.start()
        self.gate.warm_up()

    def start_work(self, parts: Collection[Part]) -> None:
        """Begin only these parts of the work, in a process that answers nobody; ``stop`` ends it.

        Nothing is kept ready for programs.
        """
        reap_at_start()
        if Part.GRADING in parts:
            self.kernels.start()
            self.workers.start()
        if Part.TRAINING in parts:
            self.training.start()
        if Part.DRAFTS in parts:
            self.drafts.start()
            self.gate.warm_up()
        if Part.WEBHOOKS in parts:
            self.senders.start()
        if Part.DAILY in parts:
            self.daily.start()

    def stop(self) -> None:
        """Finish or give back the grading under way, end the rest, then close the database.

        From the first moment no more programs are taken, and training runs write a checkpoint.
        """
        self.training.refuse()
        self.drafts.refuse()
        self.executions.refuse()
        self.use_cases.trials.refuse()
        self.workers.stop(self.drain_seconds)
        self.close()

    def close(self) -> None:
        """End the programs that run, record them, remove every container, close the database."""
        self.training.refuse()
        self.drafts.refuse()
        self.executions.refuse()
        self.use_cases.trials.refuse()
        self.sealings.stop()
        with contextlib.ExitStack() as last_to_first:
            last_to_first.callback(self.database.close)
            last_to_first.callback(self.use_cases.api_tokens.write_uses)
            last_to_first.callback(self.drafts.stop)
            last_to_first.callback(self.gate.close)
            last_to_first.callback(self.daily.stop)
            last_to_first.callback(self.senders.stop)
            last_to_first.callback(self.examiners.close)
            if self.slots is not None:
                last_to_first.callback(self.slots.close)
            last_to_first.callback(self.kernels.close)
            last_to_first.callback(provisioner.use_kernels, None)
            last_to_first.callback(self.use_cases.trials.stop)
            last_to_first.callback(self.training_place.close)
            last_to_first.callback(self.training.stop)
            last_to_first.callback(self.executions.stop)
            if isinstance(self.programs, Kept):
                last_to_first.callback(self.programs.close)
