"""The credential of an award: an ``OpenBadgeCredential`` as plain data, made and checked.

Sources: 1EdTech, Open Badges Specification 3.0 (final): the data model, section "JSON Web Token
Proof Format" (the payload is the credential with the claims iss, jti, nbf and sub) and "Verify the
Recipient Using an Identifier"; W3C, Verifiable Credentials Data Model 2.0. Signing is elsewhere:
this is what is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NoReturn
from uuid import uuid5

from jupyter_ppo.domain.achievements import AchievementCriterion, Award, CriterionKind
from jupyter_ppo.domain.errors import InvalidInputError

CONTEXTS: Final = (
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
)
_TYPES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})
_CLAIMS: Final = ("iss", "jti", "nbf", "sub")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who signs: a name, and an address of its own; ``id`` is a URI."""

    id: str
    name: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is awarded. Neither name can be read in a credential, but can be compared with one."""

    user: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class CredentialFacts:
    """What a credential says, once its signature holds. Times are UTC."""

    id: str
    issuer: Issuer
    title: str
    description: str
    criteria: str
    valid_from: datetime
    valid_until: datetime | None
    evidence: tuple[str, ...]


def credential_of(award: Award, course: str, issuer: Issuer, to: Recipient) -> dict[str, Any]:
    """Return the payload of an award's credential; ``course`` is the course's title.

    It is the same each time. The salt keeps two credentials of one person from being told to be so,
    and tables of hashes from being of use; who guesses the name can check the guess.
    """
    awarded = award.awarded_at.astimezone(UTC).replace(microsecond=0)
    credential_id, rule = award.id.urn, award.rule
    subject = uuid5(award.id, "subject").urn
    salt = hashlib.sha256(f"salt of {award.id}".encode()).hexdigest()[:32]
    document: dict[str, Any] = {
        "@context": list(CONTEXTS),
        "id": credential_id,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": issuer.id, "type": ["Profile"], "name": issuer.name},
        "validFrom": awarded.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "name": rule.title,
        "credentialSubject": {
            "id": subject,
            "type": ["AchievementSubject"],
            "identifier": _identifiers(to, salt),
            "achievement": {
                "id": uuid5(award.course_id, f"{rule.id} {rule.version}").urn,
                "type": ["Achievement"],
                "achievementType": "Achievement",
                "name": rule.title,
                "description": f"{rule.description} Course: {course}.",
                "version": str(rule.version),
                "criteria": {"narrative": narrative(rule.criteria)},
            },
        },
        "iss": issuer.id,
        "jti": credential_id,
        "nbf": int(awarded.timestamp()),
        "sub": subject,
    }
    if issuer.url:
        document["issuer"]["url"] = issuer.url
    if award.evidence:
        document["evidence"] = [
            {
                "id": each.submission_id.urn,
                "type": ["Evidence"],
                "name": each.assignment,
                "narrative": "Released points: "
                + ", ".join(f"{name} {points:g}" for name, points in each.points.items())
                + ".",
            }
            for each in award.evidence
        ]
    return document


def narrative(criteria: Iterable[AchievementCriterion]) -> str:
    """Return what a rule asks for, in sentences."""
    return "\n".join(_sentence(each.kind, each.data) for each in criteria)


def checked_credential(payload: Mapping[str, Any], now: datetime) -> CredentialFacts:
    """Return what a signed payload says, if it is a credential of this shape and valid ``now``.

    Raises ``InvalidInputError`` (field ``credential``) naming the part that is missing, is not what
    a claim says, or lies in the future or the past.
    """
    if CONTEXTS[0] not in _list(payload, "@context"):
        _refuse("@context", f"{CONTEXTS[0]} is not in it.")
    kinds = _list(payload, "type")
    if "VerifiableCredential" not in kinds or not _TYPES & set(map(str, kinds)):
        _refuse("type", "it is no OpenBadgeCredential.")
    issuer, subject = _object(payload, "issuer"), _object(payload, "credentialSubject")
    achievement = _object(subject, "achievement", "credentialSubject.")
    for claim in _CLAIMS:
        if claim not in payload:
            _refuse(claim, "it is missing.")
    starts = _time(payload, "validFrom")
    said = (issuer.get("id"), payload.get("id"), int(starts.timestamp()), subject.get("id"))
    for claim, value in zip(_CLAIMS, said, strict=True):
        if value is None or payload[claim] != value:
            _refuse(claim, "it is not what the credential says.")
    ends = _time(payload, "validUntil") if "validUntil" in payload else None
    expires = payload.get("exp", None if ends is None else int(ends.timestamp()))
    if isinstance(expires, bool) or not isinstance(expires, int | float | None):
        _refuse("exp", "it is no time.")
    if expires is not None and (ends is None or int(ends.timestamp()) != expires):
        _refuse("exp", "it is not what validUntil says.")
    if starts > now:
        _refuse("validFrom", f"it is valid only from {starts.isoformat()} on.")
    if ends is not None and ends < now:
        _refuse("validUntil", f"it was valid until {ends.isoformat()}.")
    _list(subject, "identifier", "credentialSubject.")
    criteria = _object(achievement, "criteria", "credentialSubject.achievement.")
    evidence = payload.get("evidence", [])
    return CredentialFacts(
        id=_text(payload, "id"),
        issuer=Issuer(_text(issuer, "id"), _text(issuer, "name"), str(issuer.get("url", ""))),
        title=_text(achievement, "name"),
        description=_text(achievement, "description"),
        criteria=_text(criteria, "narrative"),
        valid_from=starts,
        valid_until=ends,
        evidence=tuple(
            f"{each.get('name', '')}: {each.get('narrative', '')}"
            for each in (evidence if isinstance(evidence, list) else [])
            if isinstance(each, Mapping)
        ),
    )


def is_about(payload: Mapping[str, Any], identity: str) -> bool:
    """Whether a credential was awarded to this username or e-mail address."""
    names = {identity, unicodedata.normalize("NFC", identity)}
    if "@" in identity:
        names.add(_email(identity))
    for each in _list(_object(payload, "credentialSubject"), "identifier"):
        if not isinstance(each, Mapping):
            continue
        written, salt = str(each.get("identityHash", "")), str(each.get("salt", ""))
        for name in names:
            shown = identity_hash(name, salt) if each.get("hashed") is True else name
            # surrogates: a payload is anybody's JSON, and may hold what UTF-8 cannot
            ours, theirs = (text.encode(errors="replace") for text in (shown, written))
            if hmac.compare_digest(ours, theirs):
                return True
    return False


def identity_hash(identity: str, salt: str) -> str:
    """Return an ``IdentityHash``: SHA-256 of the identifier with the salt after it."""
    digest = hashlib.sha256((identity + salt).encode(errors="replace")).hexdigest()
    return f"sha256${digest}"


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of an Ed25519 public key (RFC 7638, RFC 8037 section 2)."""
    needed = {name: str(jwk.get(name, "")) for name in ("crv", "kty", "x")}
    text = json.dumps(needed, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _identifiers(to: Recipient, salt: str) -> list[dict[str, Any]]:
    names = {"userName": to.user, "emailAddress": _email(to.email)}
    return [
        {
            "type": "IdentityObject",
            "hashed": True,
            "identityHash": identity_hash(name, salt),
            "identityType": kind,
            "salt": salt,
        }
        for kind, name in names.items()
        if name
    ]


def _email(address: str) -> str:
    """Return an address in small letters: people do not write theirs in one way."""
    return unicodedata.normalize("NFC", address).strip().lower()


def _sentence(kind: CriterionKind, data: Mapping[str, Any]) -> str:
    match kind:
        case CriterionKind.CHECKS:
            return f"All points in {', '.join(data['grade_ids'])} of {data['assignment']}."
        case CriterionKind.EXERCISE:
            return f"All points in the exercise {data['grade_id']} of {data['assignment']}."
        case CriterionKind.CHAPTER if data["fraction"] == 1:
            return f"All points of {data['assignment']}."
        case CriterionKind.CHAPTER:
            return f"At least {100 * data['fraction']:g} % of the points of {data['assignment']}."
        case CriterionKind.CHAPTERS:
            return f"All points in {data['count']} chapters."
        case CriterionKind.CONCEPTS if "keys" in data:
            return f"All points in every exercise on {', '.join(data['keys'])}."
        case CriterionKind.CONCEPTS:
            return f"All points in every exercise on {data['count']} details of PPO."
        case CriterionKind.WEEKS:
            return f"Work handed in or graded in {data['count']} weeks."


# -- reading what anybody may have written ---------------------------------------------------------


def _refuse(place: str, problem: str) -> NoReturn:
    msg = f"credential: {place}: {problem}"
    raise InvalidInputError(msg, field="credential")


def _object(data: Mapping[str, Any], name: str, place: str = "") -> Mapping[str, Any]:
    value = data.get(name)
    if not isinstance(value, Mapping):
        _refuse(place + name, "it is missing, or no object.")
    return value


def _list(data: Mapping[str, Any], name: str, place: str = "") -> list[Any]:
    value = data.get(name)
    if not isinstance(value, list) or not value:
        _refuse(place + name, "it is missing, or no list.")
    return value


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value:
        _refuse(name, "it is missing, or no text.")
    return value


def _time(data: Mapping[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(_text(data, name))
        if found.utcoffset() is None:
            raise ValueError(name)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        _refuse(name, "it is no time with a zone.")
