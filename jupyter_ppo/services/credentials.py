"""Signed records of achievements: what a student downloads, and how anybody checks one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NoReturn, Protocol
from uuid import UUID

import jwt

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.achievements import AwardHolder
from jupyter_ppo.domain.credentials import (
    CredentialFacts,
    Issuer,
    Recipient,
    checked_credential,
    credential_of,
    is_about,
    thumbprint,
)
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.domain.ports import CourseStore
from jupyter_ppo.services.access import Access
from jupyter_ppo.services.audit import AuditLog, note

#: Of a JWT; one of a whole course has some ten KiB.
MAX_CREDENTIAL_BYTES: Final = 2**20
#: RFC 9278: a key, named by its thumbprint, where an issuer has no address of its own.
_KEY_URI: Final = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"
_ALGORITHM: Final = "EdDSA"


class HolderStore(Protocol):
    """Who was awarded what."""

    def holder(self, award_id: UUID) -> AwardHolder:
        """Return an award, with its course and its person; raise ``NotFoundError``."""


class Signer(Protocol):
    """Who signs; raises ``UnavailableError`` without a key."""

    def sign(self, payload: Mapping[str, Any]) -> str:
        """Return the payload as a signed JWT with the public key in its header."""

    def public(self) -> dict[str, str]:
        """Return the public key as a JWK with its thumbprint as ``kid``."""


@dataclass(frozen=True, slots=True)
class SignedCredential:
    """A credential as a compact JWT, and a name for its file."""

    token: str
    filename: str


@dataclass(frozen=True, slots=True)
class CheckedCredential:
    """What a credential says, and by which key: ``key`` is its thumbprint.

    ``is_known_key`` says whether the key was among those that the verifier trusts; without, anyone
    may have signed it.
    """

    facts: CredentialFacts
    key: str
    is_known_key: bool


class CredentialService:
    """Use cases of signed records. The public key is everybody's."""

    def __init__(
        self,
        *,
        courses: CourseStore,
        awards: HolderStore,
        signer: Signer,
        issuer_name: str,
        issuer_url: str,
        audit: AuditLog,
    ) -> None:
        self._access = Access(courses)
        self._awards = awards
        self._signer = signer
        self._issuer_name = issuer_name
        self._issuer_url = issuer_url
        self._audit = audit

    def credential(self, caller: Caller, award_id: UUID) -> SignedCredential:
        """Return the signed record of an award: to its person, and to graders of the course.

        Raises ``NotFoundError``, also for other people's, ``ConflictError`` when the award was
        revoked, and ``UnavailableError`` when there is no key to sign with.
        """
        held = self._awards.holder(award_id)
        award = held.award
        if not self._may_see(caller, held):
            msg = f"There is no award {str(award_id)!r}."
            raise NotFoundError(msg, field="award")
        if award.revoked_at is not None:
            msg = f"This achievement was revoked: {award.revoked_because} There is no record of it."
            raise ConflictError(msg, field="award")
        issuer = Issuer(self._issuer_url or self._key_uri(), self._issuer_name, self._issuer_url)
        to = Recipient(award.user, held.email)
        token = self._signer.sign(credential_of(award, held.course, issuer, to))
        note(self._audit, caller.user, "achievement.downloaded", str(award_id), {})
        return SignedCredential(token, f"{award.rule.id}.jwt")

    def keys(self) -> Sequence[dict[str, str]]:
        """Return the public keys of this server as JWKs. Anyone."""
        return [self._signer.public()]

    def _key_uri(self) -> str:
        return _KEY_URI + thumbprint(self._signer.public())

    def _may_see(self, caller: Caller, held: AwardHolder) -> bool:
        if held.award.user == caller.user:
            return True
        role = self._access.role_in(caller, held.award.course_id)
        return role is not None and role.may_grade


def verify_credential(
    token: str,
    now: datetime,
    *,
    keys: Sequence[Mapping[str, Any]] | None = None,
    identity: str | None = None,
) -> CheckedCredential:
    """Check a credential without any server: signature, shape, dates, and whose it is.

    ``keys`` are public keys (JWK) that may have signed it, None: whichever is in its header.
    ``identity`` is the username or e-mail address that it must be about. Raises
    ``InvalidInputError`` that says what is wrong.
    """
    if len(token) > MAX_CREDENTIAL_BYTES:
        _refuse("it is too large to be one.")
    header = _header(token)
    own = header.get("jwk")
    if own is not None and not isinstance(own, Mapping):
        _refuse("the key in its header is none.")
    jwk = own if keys is None else _known(own, keys)
    if jwk is None:
        _refuse("there is no key in its header. Give the issuer's keys.")
    payload = _signed_payload(token, jwk)
    facts = checked_credential(payload, now)
    if identity is not None and not is_about(payload, identity):
        msg = f"identity: this credential is not about {identity[:80]!r}."
        raise InvalidInputError(msg, field="identity")
    return CheckedCredential(facts, thumbprint(jwk), keys is not None)


def keys_from(data: bytes) -> list[Mapping[str, Any]]:
    """Return the keys of a JWK set, or of a single JWK; raise ``InvalidInputError``."""
    try:
        document = json.loads(data)
    except ValueError:  # also for what is no UTF-8
        document = None
    found = document.get("keys", [document]) if isinstance(document, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(k, dict) for k in found):
        msg = "key: this is no set of keys. Use what GET /achievements/keys answers."
        raise InvalidInputError(msg, field="key")
    return found


def _header(token: str) -> Mapping[str, Any]:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, RecursionError):
        _refuse("it is no signed JWT, which a downloaded achievement is.")
    if header.get("alg") != _ALGORITHM:
        _refuse(f"it is not signed with {_ALGORITHM}.")
    return header


def _known(own: Mapping[str, Any] | None, keys: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    known = {thumbprint(key): key for key in keys}
    if own is None and len(known) == 1:
        return next(iter(known.values()))
    found = None if own is None else known.get(thumbprint(own))
    if found is None:
        _refuse("it is signed by a key that is not among the given ones.")
    return found


def _signed_payload(token: str, jwk: Mapping[str, Any]) -> Mapping[str, Any]:
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519" or "d" in jwk:
        _refuse("its key is no public Ed25519 key.")
    checks = ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")  # ours: they say what is wrong
    options: Any = {f"verify_{name}": False for name in checks}
    try:
        part = {name: jwk[name] for name in ("kty", "crv", "x")}
        key = jwt.PyJWK.from_dict(part, algorithm=_ALGORITHM)
        payload = jwt.decode(token, key, algorithms=[_ALGORITHM], options=options)
    except (jwt.PyJWTError, ValueError, KeyError, TypeError, RecursionError):
        _refuse("its signature does not hold: it was changed, or another key signed it.")
    return payload


def _refuse(problem: str) -> NoReturn:
    msg = f"credential: {problem}"
    raise InvalidInputError(msg, field="credential")
