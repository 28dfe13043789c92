"""Settings of how long what people did is kept, and the use cases of privacy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from traitlets import Integer
from traitlets.config import LoggingConfigurable

from jupyter_ppo.domain.ports import Clock
from jupyter_ppo.domain.privacy import Retention
from jupyter_ppo.services.privacy import PrivacyService
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.erasure import Erasures
from jupyter_ppo.storage.personal_records import PersonalRecords
from jupyter_ppo.storage.submissions import Submissions


class PrivacySettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about people's data."""

    activity_days = Integer(
        180,
        min=31,
        help="""Days for which the minutes of students' work are kept one by one. What is older is
        replaced by one sum for each day, each person and each assignment. See docs/privacy.md.""",
    ).tag(config=True)

    def build_privacy(
        self,
        *,
        database: Database,
        blobs: FileBlobs,
        runs: Path,
        submissions: Submissions,
        clock: Clock,
        execute_history_days: float,
        sum_up: Callable[[], int],
        forget: Callable[[], int],
    ) -> PrivacyService:
        """Return the use cases; ``sum_up`` and ``forget`` are what retention does."""
        return PrivacyService(
            records=PersonalRecords(database),
            erasures=Erasures(database, blobs),
            submissions=submissions,
            blobs=blobs,
            runs=runs,
            clock=clock,
            retention=Retention(self.activity_days, execute_history_days),
            sum_up=sum_up,
            forget=forget,
        )
