"""A process that drafts what waits in a database, until nothing does. Tests end some of them.

python drafting_child.py DATABASE_URL BLOBS MODEL_URL WORKERS LEASE_SECONDS
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.tutoring import PICO, BatchState, Caps, Price
from jupyter_ppo.services.draft_making import DraftMaker
from jupyter_ppo.services.draft_queue import DraftQueue
from jupyter_ppo.services.judged_answers import JudgedAnswers
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.course_names import CourseNames
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database
from jupyter_ppo.storage.draft_batches import DraftBatches
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import DraftBatchRow
from jupyter_ppo.tutor.model import open_model
from jupyter_ppo.tutor.setup import ModelSetup


class Clock:
    """The machine's."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)


def main(url: str, blobs_at: str, model_url: str, workers: str, lease_seconds: str) -> None:
    """Draft with threads, as a server does."""
    database = open_database(url)
    courses, blobs, batches = Courses(database), FileBlobs(Path(blobs_at)), DraftBatches(database)
    price = Price(1.0, 2.0)
    model = open_model(ModelSetup("openai", "test-model", base_url=model_url, price=price))
    gate = ModelCalls(
        model=model,
        calls=ModelCallLog(database),
        settings=FeedbackSettingsTable(database),
        names=CourseNames(database),
        ceilings=Caps(PICO, PICO, PICO),
        clock=Clock(),
        keep_days=180,
    )
    answers = JudgedAnswers(
        courses=courses, blobs=blobs, seeds=PersonalSeeds(courses, blobs, NotebookGrader())
    )
    maker = DraftMaker(
        submissions=Submissions(database, Clock()),
        drafts=Drafts(database),
        answers=answers,
        calls=gate,
        max_characters=2_000,
    )
    queue = DraftQueue(
        batches=batches,
        maker=maker,
        workers=int(workers),
        lease_seconds=float(lease_seconds),
        look_seconds=0.2,
    )
    queue.start()
    is_running = select(DraftBatchRow.id).where(DraftBatchRow.state == BatchState.RUNNING)
    while True:
        with database.session() as session:
            if session.scalar(is_running) is None:
                break
        time.sleep(0.1)
    queue.stop()
    gate.close()
    database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
