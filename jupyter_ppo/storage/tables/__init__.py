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
from jupyter_ppo.storage.tables.training import (
    TrainingRunRow,
    TrainingTagRow,
    TrainingUseRow,
)

__all__ = [
    "NAMING",
    "AssignmentRow",
    "AuditEventRow",
    "AwardRow",
    "Base",
    "BatchItemRow",
    "BatchRow",
    "CourseRow",
    "ErasureRow",
    "ExecutionRow",
    "ExerciseGradeRow",
    "ExerciseRow",
    "ExtensionRow",
    "GradeChangeRow",
    "GradeRow",
    "GroupMemberRow",
    "GroupRow",
    "JobRow",
    "LeaderboardMemberRow",
    "MarkRow",
    "MembershipRow",
    "OutcomeRevisionRow",
    "OutcomeRow",
    "OutlineRow",
    "PreferencesRow",
    "ProgressEventRow",
    "ProgressStateRow",
    "RuleEditionRow",
    "SealingRow",
    "StandingRow",
    "SubmissionRow",
    "TermsRow",
    "TrainingRunRow",
    "TrainingTagRow",
    "TrainingUseRow",
    "TrialRow",
    "UtcDateTime",
    "VersionRow",
]
