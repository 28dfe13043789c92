"""What every use case writes down of what it changed."""

from __future__ import annotations

import logging
from typing import Any, Protocol

_log = logging.getLogger(__name__)


class AuditLog(Protocol):
    """Where every change is written down, by whom and when."""

    def audit(self, user: str, action: str, subject: str, detail: dict[str, Any]) -> None:
        """Append one entry."""


def note(audit: AuditLog, user: str, action: str, subject: str, detail: dict[str, Any]) -> None:
    """Write an audit entry about what is done already.

    An entry that cannot be written goes to the log: the change is made and must not look as if it
    had failed.
    """
    try:
        audit.audit(user, action, subject, detail)
    except Exception:
        _log.exception("no audit entry: %r did %s to %s, %r", user, action, subject, detail)
