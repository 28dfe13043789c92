"""Giving a person another username, when they got one where usernames come from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.courses import checked_user, one_spelling
from jupyter_ppo.domain.errors import ForbiddenError, InvalidInputError
from jupyter_ppo.domain.privacy import is_stand_in

_log = logging.getLogger(__name__)


class RenamingStore(Protocol):
    """What holds usernames."""

    def rename(self, old: str, new: str, by: str, *, dry_run: bool) -> Mapping[str, int]:
        """Put ``new`` in the place of ``old`` in one transaction; return how many rows by table.

        With ``dry_run`` everything is looked at and nothing is changed.
        """


class RenamingService:
    """The use case of renaming. Admins only: what a name opens is somebody's work and grades."""

    def __init__(self, names: RenamingStore) -> None:
        self._names = names

    def rename(
        self, caller: Caller, old: str, new: str, *, dry_run: bool = False
    ) -> Mapping[str, int]:
        """Put ``new`` in the place of ``old`` everywhere; return how many rows of each table.

        Raises ``InvalidInputError`` for what cannot be a username, ``NotFoundError`` when nothing
        is kept of ``old``, and ``ConflictError`` when somebody has the new name already or work of
        the person is under way. Nothing is changed then, nor with ``dry_run``.
        """
        if not caller.admin:
            msg = "Only an admin of this server may rename people. Ask one."
            raise ForbiddenError(msg)
        old, new = one_spelling(old), checked_user(new)
        for field, name in (("old", old), ("new", new)):
            if is_stand_in(name):
                msg = (
                    f"{field}: {name!r} stands for somebody who was erased. Use another name; who "
                    "was erased cannot be brought back."
                )
                raise InvalidInputError(msg, field=field)
        if old == new:
            msg = f"new: {new!r} is the name that they have. Use another."
            raise InvalidInputError(msg, field="new")
        counts = self._names.rename(old, new, caller.user, dry_run=dry_run)
        if not dry_run:
            _log.info("Somebody has another username: rows in %d tables.", len(counts))
        return counts
