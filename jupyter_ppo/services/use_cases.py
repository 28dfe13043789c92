"""Every use case of the service, in one object."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_ppo.services.achievements import AchievementService
from jupyter_ppo.services.api_tokens import ApiTokenService
from jupyter_ppo.services.assessment import AssessmentService
from jupyter_ppo.services.batches import BatchService
from jupyter_ppo.services.calibration import CalibrationService
from jupyter_ppo.services.class_gradebook import GradebookService
from jupyter_ppo.services.credentials import CredentialService
from jupyter_ppo.services.drafting import DraftingService
from jupyter_ppo.services.entries import EntryService
from jupyter_ppo.services.execution import ExecutionService
from jupyter_ppo.services.explaining import ExplainingService
from jupyter_ppo.services.feedback_settings import FeedbackSettingsService
from jupyter_ppo.services.hints import HintService
from jupyter_ppo.services.leaderboard import LeaderboardService
from jupyter_ppo.services.marking import MarkingService
from jupyter_ppo.services.model_call_log import ModelCallLogService
from jupyter_ppo.services.outcomes import OutcomeService
from jupyter_ppo.services.preferences import PreferencesService
from jupyter_ppo.services.privacy import PrivacyService
from jupyter_ppo.services.progress import ProgressService
from jupyter_ppo.services.renaming import RenamingService
from jupyter_ppo.services.reviewing import ReviewService
from jupyter_ppo.services.roster import RosterService
from jupyter_ppo.services.sealing import SealingService
from jupyter_ppo.services.self_checks import SelfCheckService
from jupyter_ppo.services.terms import TermsService
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.services.trash import TrashService
from jupyter_ppo.services.trials import TrialService
from jupyter_ppo.services.tutor import TutorService
from jupyter_ppo.services.versions import VersionService
from jupyter_ppo.services.webhooks import WebhookService


@dataclass(frozen=True)
class UseCases:
    """What handlers and commands call; built by ``wiring`` and swapped nowhere else."""

    assessment: AssessmentService
    sealings: SealingService
    leaderboards: LeaderboardService
    executions: ExecutionService
    roster: RosterService
    trash: TrashService
    terms: TermsService
    versions: VersionService
    batches: BatchService
    marking: MarkingService
    gradebook: GradebookService
    entries: EntryService
    outcomes: OutcomeService
    trials: TrialService
    training: TrainingService
    progress: ProgressService
    achievements: AchievementService
    credentials: CredentialService
    preferences: PreferencesService
    api_tokens: ApiTokenService
    webhooks: WebhookService
    privacy: PrivacyService
    renaming: RenamingService
    feedback_settings: FeedbackSettingsService
    hints: HintService
    explanations: ExplainingService
    self_checks: SelfCheckService
    tutor: TutorService
    model_calls: ModelCallLogService
    drafting: DraftingService
    reviewing: ReviewService
    calibration: CalibrationService
