"""The tables. Rows are private to ``storage``: callers get the domain's objects."""

from __future__ import annotations

from jupyter_ppo.storage.tables.base import NAMING, Base, UtcDateTime
from jupyter_ppo.storage.tables.courses import (
    AssignmentRow,
    CourseRow,
    ExerciseRow,
    ExtensionRow,
    GroupMemberRow,
    GroupRow,
    LeaderboardMemberRow,
    MembershipRow,
    SealingRow,
    TermsRow,
    VersionRow,
)
from jupyter_ppo.storage.tables.drafts import (
    CalibrationMarkRow,
    DraftBatchItemRow,
    DraftBatchRow,
    DraftRow,
)
from jupyter_ppo.storage.tables.grades import (
    ExerciseGradeRow,
    GradeChangeRow,
    GradeRow,
    MarkRow,
    OutcomeRevisionRow,
    OutcomeRow,
)
from jupyter_ppo.storage.tables.progress import (
    AwardRow,
    ErasureRow,
    OutlineRow,
    PreferencesRow,
    ProgressEventRow,
    ProgressStateRow,
    RuleEditionRow,
)
from jupyter_ppo.storage.tables.records import (
    AuditEventRow,
    ExecutionRow,
)
from jupyter_ppo.storage.tables.submissions import (
    BatchItemRow,
    BatchRow,
    JobRow,
    StandingRow,
    SubmissionRow,
    TrialRow,
)
from jupyter_ppo.storage.tables.tokens import ApiTokenRow
from jupyter_ppo.storage.tables.training import (
    TrainingRunRow,
    TrainingTagRow,
    TrainingUseRow,
)
from jupyter_ppo.storage.tables.tutoring import (
    ExplanationRow,
    FeedbackSettingsRow,
    HintRow,
    ModelCallRow,
    SelfCheckRow,
)
from jupyter_ppo.storage.tables.webhooks import (
    WebhookDeliveryRow,
    WebhookRow,
)

__all__ = [
    "NAMING",
    "ApiTokenRow",
    "AssignmentRow",
    "AuditEventRow",
    "AwardRow",
    "Base",
    "BatchItemRow",
    "BatchRow",
    "CalibrationMarkRow",
    "CourseRow",
    "DraftBatchItemRow",
    "DraftBatchRow",
    "DraftRow",
    "ErasureRow",
    "ExecutionRow",
    "ExerciseGradeRow",
    "ExerciseRow",
    "ExplanationRow",
    "ExtensionRow",
    "FeedbackSettingsRow",
    "GradeChangeRow",
    "GradeRow",
    "GroupMemberRow",
    "GroupRow",
    "HintRow",
    "JobRow",
    "LeaderboardMemberRow",
    "MarkRow",
    "MembershipRow",
    "ModelCallRow",
    "OutcomeRevisionRow",
    "OutcomeRow",
    "OutlineRow",
    "PreferencesRow",
    "ProgressEventRow",
    "ProgressStateRow",
    "RuleEditionRow",
    "SealingRow",
    "SelfCheckRow",
    "StandingRow",
    "SubmissionRow",
    "TermsRow",
    "TrainingRunRow",
    "TrainingTagRow",
    "TrainingUseRow",
    "TrialRow",
    "UtcDateTime",
    "VersionRow",
    "WebhookDeliveryRow",
    "WebhookRow",
]
