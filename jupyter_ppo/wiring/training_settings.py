"""Settings of training runs under the service."""

from __future__ import annotations

import uuid
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from traitlets import Dict, Enum, Integer, TraitError, Type, validate
from traitlets.config import LoggingConfigurable

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.run_records import TrainingPlace, TrainingQuota
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.sandbox import owner
from jupyter_ppo.sandbox.training_box import TRAINING_LIMITS
from jupyter_ppo.sandbox.training_place import ContainerPlace
from jupyter_ppo.services.audit import AuditLog
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.services.training_queue import TrainingQueue
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.training_runs import TrainingRuns
from jupyter_ppo.training.process_place import ProcessPlace
from jupyter_ppo.wiring.execution_settings import check_limits


class TrainingSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about training runs."""

    training_workers = Integer(
        2,
        min=0,
        max=64,
        help="""Training runs of the service that this process trains at the same time, each in a
        worker with one thread and some hundred MiB of memory. 0: this process never trains.""",
    ).tag(config=True)

    training_place = Enum(
        ["auto", "process", "container"],
        default_value="auto",
        help="""Where workers run. ``process``: beside the server, where a run's environments can
        do what the server can. ``container``: each in the sandbox. ``auto``: ``process`` with
        ``identity = "owner"``, ``container`` with ``"provider"``, where ``process`` is refused:
        other people's runs would do as they like with the server.""",
    ).tag(config=True)

    training_place_class = Type(
        default_value=None,
        klass=object,
        allow_none=True,
        help="""The class of another place for workers, which ``training_place`` gives way to. With
        ``identity = "provider"`` it must run them in a container.""",
    ).tag(config=True)

    training_quota = Dict(
        help="""What one person may use, where it differs from the defaults: ``running`` (2) runs at
        the same time, ``queued`` (50) more that wait, ``cpu_seconds_per_day`` (28800),
        ``wall_seconds`` (43200) of one run, ``disk_mb`` (2048) and ``runs`` (500) that are kept.
        For example ``{"running": 1}``.""",
    ).tag(config=True)

    training_limits = Dict(
        help="""Limits of a training container that differ from the defaults (``memory_mb`` 2048,
        ``cpus`` 1, ``disk_mb`` 512, ``file_mb`` 128; the table is in docs/sandbox.md).""",
    ).tag(config=True)

    @validate("training_limits")
    def _check_training_limits(self, proposal: Any) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        check_limits("training_limits", value, [item.name for item in fields(SandboxLimits)])
        return value

    @validate("training_quota")
    def _check_training_quota(self, proposal: Any) -> dict[str, Any]:
        value: dict[str, Any] = proposal["value"]
        quota_of(value)
        return value

    def build_training_place(self, identity: str) -> TrainingPlace:
        """Return where workers run; nothing is started yet. Raises ``TraitError``."""
        if self.training_place_class is not None:
            other: Any = self.training_place_class
            place: TrainingPlace = other()
            return place
        chosen = self.training_place
        if chosen == "auto":
            chosen = "process" if identity == "owner" else "container"
        if chosen == "process":
            if identity != "owner":
                msg = (
                    'training_place: "process" would let everyone who signs in run code as the '
                    'user of this server. Use "container" with identity = "provider".'
                )
                raise TraitError(msg)
            return ProcessPlace()
        return ContainerPlace(replace(TRAINING_LIMITS, **self.training_limits))

    def build_training(
        self, database: Database, folder: Path, place: TrainingPlace, audit: AuditLog
    ) -> tuple[TrainingQueue, TrainingService]:
        """Return who trains, and the use cases; nothing is started yet."""
        quota, token = quota_of(self.training_quota), _own_token()
        runs = TrainingRuns(database, is_gone=owner.is_orphan if token else _never)
        queue = TrainingQueue(
            runs=runs,
            place=place,
            folder=folder,
            quota=quota,
            # A process that cannot be told by its name is lost when it is not heard of.
            worker=token or f"unnamed:{uuid.uuid4().hex}",
            workers=self.training_workers,
        )
        return queue, TrainingService(
            runs=runs,
            folder=folder,
            quota=quota,
            audit=audit,
            on_queued=queue.wake,
            check_spec=place.check if isinstance(place, ProcessPlace) else _anything,
        )


def quota_of(value: dict[str, Any]) -> TrainingQuota:
    """Return the quota with these differences; raise ``TraitError`` naming what is wrong."""
    known = asdict(TrainingQuota())
    for name, number in value.items():
        if name not in known:
            msg = f"training_quota: {name!r} is not a quota; there are {', '.join(known)}."
            raise TraitError(msg)
        kind = type(known[name])
        is_number = isinstance(number, int | kind) and not isinstance(number, bool)
        if not is_number or not 0 < number < 2**31:
            what = "a whole number" if kind is int else "a number"
            msg = f"training_quota: {name}: {number!r} is not {what} above 0."
            raise TraitError(msg)
    return TrainingQuota(**value)


def _own_token() -> str:
    try:
        return owner.own_token()
    except SandboxError:
        return ""


def _anything(_spec: RunSpec) -> None:
    """A container may know environments that this process does not."""


def _never(_owner: str) -> bool:
    return False
