"""Signed records: who may have one, and what a verifier without any server takes and refuses."""

from __future__ import annotations

import base64
import hmac
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.achievement_rules import rules_from
from jupyter_ppo.domain.achievements import Award, AwardEvidence, AwardHolder
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.credentials import Issuer, Recipient, credential_of, thumbprint
from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.services.credentials import CredentialService, keys_from, verify_credential
from jupyter_ppo.storage.signing_key import SigningKey

NOW = datetime.now(UTC)
WEEKS = [{"kind": "weeks", "data": {"count": 2}}]
[RULE] = rules_from([{"id": "weeks", "title": "Weeks", "description": "Two.", "criteria": WEEKS}])
AWARD = Award(
    id=UUID(int=5),
    course_id=UUID(int=6),
    user="sam",
    rule=RULE,
    evidence=(AwardEvidence("first", UUID(int=7), {"gae": 2.0}),),
    awarded_at=NOW - timedelta(days=1),
)


@dataclass
class OneAward:
    """A store of one award."""

    award: Award

    def holder(self, award_id: UUID) -> AwardHolder:
        if award_id != self.award.id:
            msg = "There is no such award."
            raise NotFoundError(msg, field="award")
        return AwardHolder(self.award, "Learn PPO", "sam@example.edu")


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return SigningKey(tmp_path / "badges.pem")


@pytest.fixture
def service(course: Any, key: SigningKey) -> Callable[..., CredentialService]:
    def service(award: Award, url: str = "") -> CredentialService:
        course_id = course.courses.course("rl").id
        return CredentialService(
            courses=course.courses,
            awards=OneAward(replace(award, course_id=course_id)),
            signer=key,
            issuer_name="Example University",
            issuer_url=url,
            audit=course.audit,
        )

    return service


def signed(key: SigningKey, **changes: Any) -> str:
    """Return a credential, with changes of its payload, signed all the same."""
    issuer = Issuer("https://example.edu", "Example University")
    payload = credential_of(AWARD, "Learn PPO", issuer, Recipient("sam", "sam@example.edu"))
    return key.sign(payload | changes)


@cache
def one_token() -> tuple[str, dict[str, str]]:
    """Return a credential and its public key, which all examples of a property test share."""
    with tempfile.TemporaryDirectory() as folder:
        key = SigningKey(Path(folder) / "badges.pem")
        return signed(key), key.public()


def part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def refusal(token: str, now: datetime = NOW, **options: Any) -> str:
    with pytest.raises(InvalidInputError) as refused:
        verify_credential(token, now, **options)
    return refused.value.message


def test_its_person_and_graders_get_it_and_others_do_not_know_of_it(
    course: Any, service: Callable[..., CredentialService]
) -> None:
    credentials = service(AWARD)
    grader = course.member("gil", Role.GRADER)
    for caller in (Caller("sam"), grader, Caller("root", admin=True)):
        found = credentials.credential(caller, AWARD.id)
        assert found.filename == "weeks.jwt"
        assert found.token == credentials.credential(Caller("sam"), AWARD.id).token
    for caller in (course.member("sue", Role.STUDENT), Caller("oto")):
        with pytest.raises(NotFoundError) as refused:
            credentials.credential(caller, AWARD.id)
        assert refused.value.field == "award"


def test_of_a_revoked_award_there_is_no_record(service: Callable[..., CredentialService]) -> None:
    revoked = replace(AWARD, revoked_at=NOW, revoked_because="The grade was taken back.")
    with pytest.raises(ConflictError, match=r"was revoked: The grade was taken back\."):
        service(revoked).credential(Caller("sam"), AWARD.id)


def test_what_is_downloaded_holds_for_anyone_with_the_public_keys(
    service: Callable[..., CredentialService], key: SigningKey
) -> None:
    credentials = service(AWARD)
    token = credentials.credential(Caller("sam"), AWARD.id).token
    keys = keys_from(json.dumps({"keys": credentials.keys()}).encode())
    for identity in (None, "sam", "Sam@example.edu"):
        checked = verify_credential(token, NOW, keys=keys, identity=identity)
        assert checked.is_known_key
        assert checked.key == key.public()["kid"]
        assert checked.facts.title == "Weeks"
        assert checked.facts.issuer.name == "Example University"
        assert checked.facts.issuer.id.endswith(key.public()["kid"])
    assert not verify_credential(token, NOW).is_known_key


def test_an_issuer_with_an_address_is_known_by_it(
    service: Callable[..., CredentialService],
) -> None:
    token = service(AWARD, "https://example.edu/ppo").credential(Caller("sam"), AWARD.id).token
    assert verify_credential(token, NOW).facts.issuer.id == "https://example.edu/ppo"


def test_another_identity_is_refused(key: SigningKey) -> None:
    token = signed(key)
    assert "not about 'sue'" in refusal(token, identity="sue")
    assert "not about ''" in refusal(token, identity="")


def test_a_key_that_is_not_the_issuers_is_refused(key: SigningKey, tmp_path: Path) -> None:
    other = SigningKey(tmp_path / "other.pem")
    assert "not among the given ones" in refusal(signed(other), keys=[key.public()])
    # The issuer's key in the header, another one's signature.
    _, payload, _ = signed(key).split(".")
    header = part({"alg": "EdDSA", "typ": "JWT", "jwk": key.public()})
    _, _, signature = other.sign(json.loads(base64.urlsafe_b64decode(payload + "==="))).split(".")
    assert "signature does not hold" in refusal(f"{header}.{payload}.{signature}")


def test_what_was_changed_is_refused(key: SigningKey) -> None:
    header, payload, signature = signed(key).split(".")
    data = json.loads(base64.urlsafe_b64decode(payload + "==="))
    data["credentialSubject"]["achievement"]["name"] = "Everything"
    assert "signature does not hold" in refusal(f"{header}.{part(data)}.{signature}")
    assert "signature does not hold" in refusal(f"{header}.{payload}.")


@given(st.data())
def test_no_other_character_passes(data: st.DataObject) -> None:
    token, public = one_token()
    at = data.draw(st.integers(0, len(token) - 2))  # the last one carries no bits of its own
    other = data.draw(st.sampled_from("AZaz09-_. \u00e9").filter(lambda char: char != token[at]))
    with pytest.raises(InvalidInputError):
        verify_credential(token[:at] + other + token[at + 1 :], NOW, keys=[public])


@given(st.text(max_size=40) | st.binary(max_size=40).map(lambda data: data.decode("latin-1")))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        verify_credential(text, NOW)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES256", "", None])
def test_no_other_algorithm_is_taken(key: SigningKey, algorithm: str | None) -> None:
    _, payload, signature = signed(key).split(".")
    header = part({"alg": algorithm, "typ": "JWT", "jwk": key.public()})
    for end in (signature, ""):
        assert "credential: it is n" in refusal(f"{header}.{payload}.{end}")
    assert "credential: it is n" in refusal(f"{header}.{payload}", keys=[key.public()])


def test_the_public_key_is_no_secret_to_sign_with(key: SigningKey) -> None:
    _, payload, _ = signed(key).split(".")
    header = part({"alg": "HS256", "typ": "JWT", "jwk": key.public()})
    secret = base64.urlsafe_b64decode(key.public()["x"] + "=")
    digest = hmac.digest(secret, f"{header}.{payload}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert "not signed with EdDSA" in refusal(
        f"{header}.{payload}.{signature}", keys=[key.public()]
    )


@pytest.mark.parametrize(
    "jwk",
    [
        {},
        {"kty": "OKP", "crv": "Ed25519"},
        {"kty": "OKP", "crv": "Ed25519", "x": "!"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": 7},
        {"kty": "OKP", "crv": "Ed448", "x": "AA"},
        {"kty": "oct", "k": "AA"},
        "a key",
        ["a key"],
        7,
    ],
)
def test_a_header_without_a_usable_key_is_refused(key: SigningKey, jwk: Any) -> None:
    _, payload, signature = signed(key).split(".")
    token = f"{part({'alg': 'EdDSA', 'typ': 'JWT', 'jwk': jwk})}.{payload}.{signature}"
    assert refusal(token).startswith("credential: ")


def test_a_private_key_in_the_header_is_refused(key: SigningKey) -> None:
    _, payload, signature = signed(key).split(".")
    header = part({"alg": "EdDSA", "typ": "JWT", "jwk": {**key.public(), "d": "AA"}})
    assert "no public Ed25519 key" in refusal(f"{header}.{payload}.{signature}")


def test_dates_that_do_not_hold_are_refused(key: SigningKey) -> None:
    assert "validFrom" in refusal(signed(key), NOW - timedelta(days=2))
    ends = (NOW - timedelta(hours=1)).replace(microsecond=0)
    expired = signed(key, validUntil=ends.isoformat(), exp=int(ends.timestamp()))
    assert "validUntil" in refusal(expired)
    later = (NOW + timedelta(hours=1)).replace(microsecond=0)
    future = signed(key, validFrom=later.isoformat(), nbf=int(later.timestamp()))
    assert "validFrom" in refusal(future)
    assert "nbf" in refusal(signed(key, nbf=0))


def test_a_signed_text_that_is_no_credential_is_refused(key: SigningKey) -> None:
    assert "@context" in refusal(key.sign({"sub": "sam"}))
    assert "type" in refusal(signed(key, type=["VerifiableCredential"]))


def test_a_huge_text_is_refused_unread() -> None:
    assert "too large" in refusal("a" * (2**20 + 1))


def test_a_token_without_a_key_needs_the_one_that_is_given(key: SigningKey) -> None:
    _, payload, _ = signed(key).split(".")
    data = json.loads(base64.urlsafe_b64decode(payload + "==="))
    token = jwt.encode(data, key._private(), "EdDSA")
    assert "no key in its header" in refusal(token)
    checked = verify_credential(token, NOW, keys=[key.public()])
    assert checked.key == thumbprint(key.public())


@pytest.mark.parametrize("data", [b"", b"[]", b'"x"', b'{"keys": []}', b'{"keys": [1]}', b"\xff"])
def test_keys_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="key: this is no set of keys"):
        keys_from(data)


def test_a_single_key_is_a_set_of_one(key: SigningKey) -> None:
    assert keys_from(json.dumps(key.public()).encode()) == [key.public()]
