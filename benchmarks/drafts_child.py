"""One process that drafts what waits, until nothing does; prints what it took as JSON.

    python benchmarks/drafts_child.py FOLDER PROVIDER URL WORKERS LEASE_SECONDS

Used by ``drafts.py``, which kills some of them. Threads, leases, gate and stores are the service's.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from harness import measured
from sqlalchemy import select

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.tutoring import PICO, BatchState, Caps, LanguageModel, Price
from jupyter_ppo.services.draft_making import DraftMaker
from jupyter_ppo.services.draft_queue import DraftQueue
from jupyter_ppo.services.judged_answers import JudgedAnswers
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.storage.blobs import FileBlobs
from jupyter_ppo.storage.course_names import CourseNames
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.draft_batches import DraftBatches
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.tables import DraftBatchRow
from jupyter_ppo.tutor.model import open_model
from jupyter_ppo.tutor.setup import ModelSetup

#: What a million tokens cost: read, written, read from the model's cache.
PRICE = Price(0.15, 0.6, 0.075)
MOST_CHARACTERS = 20_000
_CAP = 1000 * PICO


class Clock:
    """The machine's."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)


def opened(folder: Path) -> Database:
    """Open the database of a folder."""
    return open_database(sqlite_url(folder / "drafts.sqlite"))


def model_at(provider: str, url: str, concurrency: int) -> LanguageModel:
    """Return a model at the other end of HTTP."""
    return open_model(
        ModelSetup(
            provider, "test-model", "key", url, timeout=60.0, concurrency=concurrency, price=PRICE
        )
    )


def gate_of(database: Database, model: LanguageModel) -> ModelCalls:
    """Return the gate to it, with caps that are never reached but always looked at."""
    return ModelCalls(
        model=model,
        calls=ModelCallLog(database),
        settings=FeedbackSettingsTable(database),
        names=CourseNames(database),
        ceilings=Caps(_CAP, _CAP, _CAP),
        clock=Clock(),
        keep_days=180,
    )


def work_off(database: Database, folder: Path, gate: ModelCalls, workers: int, lease: float) -> int:
    """Draft with so many threads until no batch waits; return how many batches have failed."""
    courses, blobs = Courses(database), FileBlobs(folder / "blobs")
    maker = DraftMaker(
        submissions=Submissions(database, Clock()),
        drafts=Drafts(database),
        answers=JudgedAnswers(
            courses=courses, blobs=blobs, seeds=PersonalSeeds(courses, blobs, NotebookGrader())
        ),
        calls=gate,
        max_characters=MOST_CHARACTERS,
    )
    queue = DraftQueue(
        batches=DraftBatches(database), maker=maker, workers=workers, lease_seconds=lease
    )
    queue.start()
    while True:
        with database.session() as session:
            states = session.scalars(select(DraftBatchRow.state)).all()
        if BatchState.RUNNING not in states:
            break
        time.sleep(0.2)
    queue.stop()
    return sum(state is not BatchState.SUCCEEDED for state in states)


def main() -> int:
    """Draft, and say how long it took without imports."""
    folder, provider, url = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    workers, lease = int(sys.argv[4]), float(sys.argv[5])
    database = opened(folder)
    model = model_at(provider, url, workers)
    gate = gate_of(database, model)
    failed: list[int] = []
    cost = measured(
        lambda: failed.append(work_off(database, folder, gate, workers, lease)), containers=False
    )
    gate.close()
    database.close()
    print(json.dumps({"wall": cost.wall, "cpu": cost.cpu}))
    return failed[0]


if __name__ == "__main__":
    sys.exit(main())
