"""Drafts of feedback: their stores and services, on the parts of everything else."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_ppo.domain.ports import BlobStore, Clock
from jupyter_ppo.services.calibration import CalibrationRules, CalibrationService
from jupyter_ppo.services.draft_making import DraftMaker, program_of
from jupyter_ppo.services.draft_queue import DraftQueue
from jupyter_ppo.services.drafting import DraftingService
from jupyter_ppo.services.judged_answers import JudgedAnswers
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.reviewing import ReviewService
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.calibrations import Calibrations
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.draft_batches import DraftBatches
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.storage.self_checks import SelfChecks
from jupyter_ppo.storage.submissions import Submissions


@dataclass(frozen=True)
class Drafting:
    """What drafts, and the use cases around it."""

    queue: DraftQueue
    drafting: DraftingService
    reviewing: ReviewService
    calibration: CalibrationService


def build_drafting(
    *,
    database: Database,
    courses: Courses,
    submissions: Submissions,
    blobs: BlobStore,
    seeds: PersonalSeeds,
    gate: ModelCalls,
    clock: Clock,
    audit: Audit,
    workers: int,
    max_characters: int,
    currency: str,
) -> Drafting:
    """Return it; ``workers`` answers are drafted at the same time, in this process."""
    drafts, batches, marks = Drafts(database), DraftBatches(database), Calibrations(database)
    settings = FeedbackSettingsTable(database)
    answers = JudgedAnswers(courses=courses, blobs=blobs, seeds=seeds)
    maker = DraftMaker(
        submissions=submissions,
        drafts=drafts,
        answers=answers,
        calls=gate,
        max_characters=max_characters,
    )
    queue = DraftQueue(batches=batches, maker=maker, workers=0 if gate.about is None else workers)
    program = None if gate.about is None else program_of(gate.about)
    rules = CalibrationRules(marks=marks, drafts=drafts, settings=settings, program=program)
    return Drafting(
        queue=queue,
        drafting=DraftingService(
            courses=courses,
            submissions=submissions,
            drafts=drafts,
            batches=batches,
            marks=marks,
            answers=answers,
            settings=settings,
            rules=rules,
            maker=maker,
            calls=gate,
            spent=ModelCallLog(database),
            on_started=queue.wake,
            currency=currency,
            audit=audit,
        ),
        reviewing=ReviewService(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            drafts=drafts,
            outcomes=Outcomes(database),
            marks=Marks(database),
            self_checks=SelfChecks(database),
            answers=answers,
            settings=settings,
            secrets=courses,
            clock=clock,
            audit=audit,
        ),
        calibration=CalibrationService(
            courses=courses,
            submissions=submissions,
            drafts=drafts,
            marks=marks,
            answers=answers,
            rules=rules,
            secrets=courses,
            audit=audit,
        ),
    )
