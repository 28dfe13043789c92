"""Settings of the signed records of achievements."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from traitlets import TraitError, Unicode, validate
from traitlets.config import LoggingConfigurable

from jupyter_ppo.domain.ports import CourseStore
from jupyter_ppo.services.audit import AuditLog
from jupyter_ppo.services.credentials import CredentialService
from jupyter_ppo.storage.awards import Awards
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.signing_key import KEY_FILE, SigningKey

_URL = re.compile(r"https?://[^\s\"<>\\^`{|}\x00-\x20\x7f-\U0010ffff]{1,2000}")
_MAX_NAME = 200


class BadgeSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about who signs badges."""

    badge_issuer_name = Unicode(
        "A jupyter-ppo course",
        help="""Who awards achievements, as their signed records say it: your school's name.""",
    ).tag(config=True)

    badge_issuer_url = Unicode(
        "",
        help="""The issuer's own address, such as ``https://example.edu/ppo``; it is also the
        issuer's identifier. Default: none, the issuer is identified by its key. Nothing is sent
        there.""",
    ).tag(config=True)

    @validate("badge_issuer_name")
    def _check_issuer_name(self, proposal: Any) -> str:
        name: str = proposal["value"]
        if not name.strip() or not name.isprintable() or len(name) > _MAX_NAME:
            msg = f"badge_issuer_name: use 1 to {_MAX_NAME} printable characters."
            raise TraitError(msg)
        return name

    @validate("badge_issuer_url")
    def _check_issuer_url(self, proposal: Any) -> str:
        url: str = proposal["value"]
        if url and not _URL.fullmatch(url):
            msg = f"badge_issuer_url: {url[:120]!r} is no address. Use https://..., or nothing."
            raise TraitError(msg)
        return url

    def build_credentials(
        self, database: Database, folder: Path, courses: CourseStore, audit: AuditLog
    ) -> CredentialService:
        """Return the service that signs; its key, in ``folder``, is made on first use."""
        return CredentialService(
            courses=courses,
            awards=Awards(database),
            signer=SigningKey(folder / KEY_FILE),
            issuer_name=self.badge_issuer_name,
            issuer_url=self.badge_issuer_url,
            audit=audit,
        )
