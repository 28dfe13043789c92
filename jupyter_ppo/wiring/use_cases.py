"""Settings, stores and sandboxes become the use cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jupyter_ppo.domain.errors import SandboxError
from jupyter_ppo.domain.ports import BlobStore, Clock, Grader, Sandbox
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.domain.tutoring import Caps
from jupyter_ppo.sandbox import owner
from jupyter_ppo.services.achievements import AchievementService
from jupyter_ppo.services.api_tokens import ApiTokenService
from jupyter_ppo.services.asking_limits import AskingLimits
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.batches import BatchService
from jupyter_ppo.services.class_gradebook import GradebookService
from jupyter_ppo.services.credentials import CredentialService
from jupyter_ppo.services.entries import EntryService
from jupyter_ppo.services.execution import ExecutionService
from jupyter_ppo.services.explaining import ExplainingService
from jupyter_ppo.services.feedback_settings import FeedbackSettingsService
from jupyter_ppo.services.hints import HintService
from jupyter_ppo.services.judged_answers import JudgedAnswers
from jupyter_ppo.services.leaderboard import LeaderboardService
from jupyter_ppo.services.marking import MarkingService
from jupyter_ppo.services.model_call_log import ModelCallLogService
from jupyter_ppo.services.model_calls import ModelCalls
from jupyter_ppo.services.model_words import ModelWords
from jupyter_ppo.services.outcomes import OutcomeService
from jupyter_ppo.services.outlines import CourseOutlines
from jupyter_ppo.services.preferences import PreferencesService
from jupyter_ppo.services.privacy import PrivacyService
from jupyter_ppo.services.progress import ProgressService
from jupyter_ppo.services.renaming import RenamingService
from jupyter_ppo.services.roster import RosterService
from jupyter_ppo.services.sealing import SealingService
from jupyter_ppo.services.seeds import PersonalSeeds
from jupyter_ppo.services.self_checks import SelfCheckService
from jupyter_ppo.services.terms import TermsService
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.services.trash import TrashService
from jupyter_ppo.services.trials import TrialService
from jupyter_ppo.services.tutor import TutorService
from jupyter_ppo.services.use_cases import UseCases
from jupyter_ppo.services.versions import VersionService
from jupyter_ppo.services.webhooks import WebhookService
from jupyter_ppo.storage.api_tokens import ApiTokens
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.awards import Awards
from jupyter_ppo.storage.batches import Batches
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.drafts import Drafts
from jupyter_ppo.storage.explanations import Explanations
from jupyter_ppo.storage.feedback_settings import FeedbackSettingsTable
from jupyter_ppo.storage.gradebooks import Gradebooks
from jupyter_ppo.storage.hints import Hints
from jupyter_ppo.storage.leaderboards import Leaderboards
from jupyter_ppo.storage.marks import Marks
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.outcomes import Outcomes
from jupyter_ppo.storage.preferences import PreferencesTable
from jupyter_ppo.storage.progress_log import ProgressLog
from jupyter_ppo.storage.progress_recompute import Recomputing
from jupyter_ppo.storage.progress_states import ProgressStates
from jupyter_ppo.storage.renaming import Renamings
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.storage.self_checks import SelfChecks
from jupyter_ppo.storage.submissions import Submissions
from jupyter_ppo.storage.terms import AssignmentTerms
from jupyter_ppo.storage.trash import Trash
from jupyter_ppo.storage.trials import Trials
from jupyter_ppo.storage.versions import Versions
from jupyter_ppo.wiring.drafting import Drafting


@dataclass(frozen=True)
class Parts:
    """What the use cases are made of. ``on_queued`` wakes whoever grades.

    ``is_admin`` says whether a username is that of an admin.
    """

    database: Database
    courses: Courses
    submissions: Submissions
    blobs: BlobStore
    grader: Grader
    sandbox: Sandbox
    sealings: SealingService
    executions: ExecutionService
    training: TrainingService
    credentials: CredentialService
    privacy: PrivacyService
    gate: ModelCalls
    drafting: Drafting
    outlines: CourseOutlines
    seeds: PersonalSeeds
    audit: Audit
    ceilings: Caps
    currency: str
    limits: SandboxLimits
    clock: Clock
    attempts_per_hour: int
    on_queued: Callable[[], None]
    is_admin: Callable[[str], bool]
    webhooks: WebhookService


def build_use_cases(parts: Parts) -> UseCases:
    """Return every use case on these parts."""
    courses, submissions, audit = parts.courses, parts.submissions, parts.audit
    database, blobs = parts.database, parts.blobs
    outlines = parts.outlines
    settings = FeedbackSettingsTable(database)
    hints, explanations = Hints(database), Explanations(database)
    words = ModelWords(parts.gate)
    asking = AskingLimits((hints.asked_since, explanations.asked_since), parts.clock)
    judged = JudgedAnswers(courses=courses, blobs=blobs, seeds=parts.seeds)
    return UseCases(
        assessment=AssessmentService(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            grader=parts.grader,
            audit=audit,
            seeds=parts.seeds,
            clock=parts.clock,
            attempts_per_hour=parts.attempts_per_hour,
            on_queued=parts.on_queued,
            on_released=outlines.fill,
        ),
        sealings=parts.sealings,
        leaderboards=LeaderboardService(
            courses=courses, leaderboards=Leaderboards(database), audit=audit
        ),
        executions=parts.executions,
        roster=RosterService(
            courses=courses,
            rosters=Rosters(database),
            audit=audit,
        ),
        trash=TrashService(
            courses=courses,
            trash=Trash(database),
            submissions=submissions,
            audit=audit,
        ),
        terms=TermsService(
            courses=courses,
            terms=AssignmentTerms(database),
            clock=parts.clock,
            audit=audit,
        ),
        versions=VersionService(
            courses=courses,
            versions=Versions(database),
            blobs=blobs,
            audit=audit,
            on_released=outlines.fill,
        ),
        batches=BatchService(
            courses=courses,
            batches=Batches(database),
            submissions=submissions,
            on_queued=parts.on_queued,
            audit=audit,
        ),
        marking=MarkingService(
            courses=courses,
            marks=Marks(database),
            submissions=submissions,
            blobs=blobs,
            seeds=parts.seeds,
            secrets=courses,
            audit=audit,
        ),
        gradebook=GradebookService(
            courses=courses,
            gradebooks=Gradebooks(database),
            blobs=blobs,
            audit=audit,
        ),
        entries=EntryService(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            clock=parts.clock,
            audit=audit,
            attempts_per_hour=parts.attempts_per_hour,
            on_released=outlines.fill,
        ),
        outcomes=OutcomeService(
            courses=courses,
            outcomes=Outcomes(database),
            submissions=submissions,
            blobs=blobs,
            clock=parts.clock,
            audit=audit,
        ),
        trials=TrialService(
            courses=courses,
            trials=_trials(database),
            blobs=blobs,
            grader=parts.grader,
            sandbox=parts.sandbox,
            sealings=parts.sealings,
            seeds=parts.seeds,
            clock=parts.clock,
            limits=parts.limits,
            audit=audit,
        ),
        training=parts.training,
        progress=ProgressService(
            courses=courses,
            log=ProgressLog(database),
            states=ProgressStates(database),
            recomputing=Recomputing(database),
            outlines=outlines,
            clock=parts.clock,
            audit=audit,
        ),
        achievements=AchievementService(
            courses=courses, awards=Awards(database), outlines=outlines, audit=audit
        ),
        credentials=parts.credentials,
        privacy=parts.privacy,
        renaming=RenamingService(Renamings(database)),
        tutor=TutorService(parts.gate),
        drafting=parts.drafting.drafting,
        reviewing=parts.drafting.reviewing,
        calibration=parts.drafting.calibration,
        model_calls=ModelCallLogService(
            courses=courses,
            calls=ModelCallLog(database),
            drafts=Drafts(database),
            gate=parts.gate,
            clock=parts.clock,
            currency=parts.currency,
        ),
        preferences=PreferencesService(preferences=PreferencesTable(database), audit=audit),
        api_tokens=ApiTokenService(
            courses=courses,
            tokens=ApiTokens(database),
            clock=parts.clock,
            audit=audit,
            is_admin=parts.is_admin,
        ),
        webhooks=parts.webhooks,
        feedback_settings=FeedbackSettingsService(
            courses=courses,
            settings=settings,
            audit=audit,
            ceilings=parts.ceilings,
            currency=parts.currency,
        ),
        hints=HintService(
            courses=courses,
            submissions=submissions,
            blobs=blobs,
            hints=hints,
            preferences=PreferencesTable(database),
            settings=settings,
            words=words,
            limits=asking,
            clock=parts.clock,
        ),
        explanations=ExplainingService(
            courses=courses,
            blobs=blobs,
            explanations=explanations,
            training=parts.training,
            settings=settings,
            words=words,
            limits=asking,
            clock=parts.clock,
        ),
        self_checks=SelfCheckService(
            courses=courses, checks=SelfChecks(database), answers=judged, clock=parts.clock
        ),
    )


def _trials(database: Database) -> Trials:
    """Return the store of trials; where this process cannot be told, only age ends what is left."""
    try:
        token = owner.own_token()
    except SandboxError:
        return Trials(database)
    return Trials(database, owner=token, is_gone=owner.is_orphan)
