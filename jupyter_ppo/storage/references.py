"""Which blobs the database refers to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from jupyter_ppo.domain.courses import AssignmentKind
from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.ports import BlobStore
from jupyter_ppo.storage.tables import (
    AssignmentRow,
    GradeRow,
    SubmissionRow,
    TrialRow,
    VersionRow,
)

_COLUMNS = (
    VersionRow.source_digest,
    VersionRow.release_digest,
    SubmissionRow.digest,
    GradeRow.feedback_digest,
    TrialRow.digest,
)


def referenced_blobs(session: Session, blobs: BlobStore) -> set[str]:
    """Return the digest of every blob that a row names, and of every file of an entry.

    What is in the trash refers to its blobs too. An entry that cannot be read names no files here;
    it is itself in what is returned.
    """
    found: set[str] = set()
    for column in _COLUMNS:
        found.update(session.scalars(select(column).distinct()))
    entries = session.scalars(
        select(SubmissionRow.digest)
        .join(AssignmentRow, AssignmentRow.id == SubmissionRow.assignment_id)
        .where(AssignmentRow.kind == AssignmentKind.ENTRY)
        .distinct()
    )
    for digest in entries:
        found.update(files_of_entry(blobs, digest))
    found.discard("")
    return found


def files_of_entry(blobs: BlobStore, digest: str) -> Iterable[str]:
    """Return the digests of an entry's files; none of one that cannot be read."""
    try:
        content: Any = json.loads(blobs.get(digest))
    except (PPOError, ValueError):
        return []
    files = content.get("files") if isinstance(content, dict) else None
    items = files if isinstance(files, list) else []
    names = (item.get("digest") for item in items if isinstance(item, dict))
    return [name for name in names if isinstance(name, str)]
