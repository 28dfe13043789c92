"""The document of a credential: its shape, what it hides, and what is refused as none."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.achievement_rules import rules_from
from jupyter_ppo.domain.achievements import Award, AwardEvidence
from jupyter_ppo.domain.credentials import (
    Issuer,
    Recipient,
    checked_credential,
    credential_of,
    identity_hash,
    is_about,
    narrative,
    thumbprint,
)
from jupyter_ppo.domain.errors import InvalidInputError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ISSUER = Issuer("https://example.edu/ppo", "Example University", "https://example.edu/ppo")
[RULE] = rules_from(
    [
        {
            "id": "gae-three-lambdas",
            "version": 3,
            "title": "GAE exact at three lambdas",
            "description": "By hand.",
            "criteria": [
                {"kind": "checks", "data": {"assignment": "05-gae", "grade_ids": ["hand", "more"]}},
                {"kind": "weeks", "data": {"count": 2}},
            ],
        }
    ]
)
AWARD = Award(
    id=UUID(int=7),
    course_id=UUID(int=8),
    user="sam",
    rule=RULE,
    evidence=(AwardEvidence("05-gae", UUID(int=9), {"hand": 2.0, "more": 0.5}),),
    awarded_at=NOW - timedelta(days=1, microseconds=-123456),
)


def payload(to: Recipient | None = None, issuer: Issuer = ISSUER) -> dict[str, Any]:
    to = to or Recipient("sam", "Sam@Example.edu")
    return credential_of(AWARD, "Learn PPO", issuer, to)


def test_the_document_has_the_shape_of_open_badges_3() -> None:
    document = payload()
    assert document["@context"] == [
        "https://www.w3.org/ns/credentials/v2",
        "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
    ]
    assert document["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert document["id"] == document["jti"] == "urn:uuid:00000000-0000-0000-0000-000000000007"
    assert document["issuer"] == {
        "id": "https://example.edu/ppo",
        "type": ["Profile"],
        "name": "Example University",
        "url": "https://example.edu/ppo",
    }
    assert document["iss"] == "https://example.edu/ppo"
    assert document["validFrom"] == "2026-11-21T12:00:00Z"
    assert document["nbf"] == int((NOW - timedelta(days=1)).timestamp())
    subject = document["credentialSubject"]
    assert subject["type"] == ["AchievementSubject"]
    assert subject["id"] == document["sub"]
    achievement = subject["achievement"]
    assert achievement["type"] == ["Achievement"]
    assert achievement["id"].startswith("urn:uuid:")
    assert achievement["name"] == "GAE exact at three lambdas"
    assert achievement["description"] == "By hand. Course: Learn PPO."
    assert achievement["version"] == "3"
    assert achievement["criteria"] == {
        "narrative": "All points in hand, more of 05-gae.\nWork handed in or graded in 2 weeks."
    }
    assert document["evidence"] == [
        {
            "id": "urn:uuid:00000000-0000-0000-0000-000000000009",
            "type": ["Evidence"],
            "name": "05-gae",
            "narrative": "Released points: hand 2, more 0.5.",
        }
    ]
    for identifier in subject["identifier"]:
        assert identifier["type"] == "IdentityObject"
        assert identifier["hashed"] is True
        assert identifier["identityHash"].startswith("sha256$")
    kinds = [identifier["identityType"] for identifier in subject["identifier"]]
    assert kinds == ["userName", "emailAddress"]


def test_the_document_is_the_same_each_time_and_names_nobody() -> None:
    assert payload() == payload()
    text = json.dumps(payload()).lower()
    assert "sam" not in text
    assert "example.edu" in text  # the issuer's
    assert "sam@" not in text


def test_of_two_awards_nobody_can_tell_that_they_are_of_one_person() -> None:
    first = payload()
    other = Award(
        UUID(int=70), AWARD.course_id, AWARD.user, AWARD.rule, AWARD.evidence, AWARD.awarded_at
    )
    second = credential_of(other, "Learn PPO", ISSUER, Recipient("sam", "Sam@Example.edu"))
    assert first["sub"] != second["sub"]
    for one, two in zip(
        first["credentialSubject"]["identifier"],
        second["credentialSubject"]["identifier"],
        strict=True,
    ):
        assert one["salt"] != two["salt"]
        assert one["identityHash"] != two["identityHash"]


def test_a_hash_is_that_of_the_name_with_the_salt_after_it() -> None:
    # printf samsalt | sha256sum
    digest = "8c675114bbff8a0cd786fe3eee9d8f9ba33a3eac6fd4c694ebe41fffde71fc6e"
    assert identity_hash("sam", "salt") == f"sha256${digest}"


@pytest.mark.parametrize("identity", ["sam", "Sam@Example.edu", "sam@example.edu "])
def test_who_knows_the_name_can_check_it(identity: str) -> None:
    assert is_about(payload(), identity)


@pytest.mark.parametrize("identity", ["sue", "Sam", "", "sam@example.com", "sha256$", "\ud800"])
def test_it_is_about_nobody_else(identity: str) -> None:
    assert not is_about(payload(), identity)
    assert not is_about(payload(Recipient("sam")), "sam@example.edu")


def test_names_with_accents_are_one_however_they_are_written() -> None:
    assert is_about(payload(Recipient("jos\u00e9")), "jose\u0301")


def test_a_name_that_is_not_hashed_is_compared_as_it_is() -> None:
    document = payload()
    document["credentialSubject"]["identifier"] = [
        {"type": "IdentityObject", "hashed": False, "identityHash": "sam", "identityType": "name"}
    ]
    assert is_about(document, "sam")
    assert not is_about(document, "sue")


def test_what_we_make_passes_and_says_what_it_is() -> None:
    facts = checked_credential(payload(), NOW)
    assert facts.id == AWARD.id.urn
    assert facts.issuer == ISSUER
    assert facts.title == "GAE exact at three lambdas"
    assert facts.criteria.startswith("All points in hand")
    assert facts.valid_from == NOW - timedelta(days=1)
    assert facts.valid_until is None
    assert facts.evidence == ("05-gae: Released points: hand 2, more 0.5.",)


def test_dates_are_those_of_the_verifier() -> None:
    with pytest.raises(InvalidInputError, match=r"validFrom: it is valid only from 2026-11-21"):
        checked_credential(payload(), NOW - timedelta(days=2))
    ends = NOW + timedelta(hours=1)
    document = payload() | {"validUntil": ends.isoformat(), "exp": int(ends.timestamp())}
    assert checked_credential(document, NOW).valid_until == ends
    with pytest.raises(InvalidInputError, match=r"validUntil: it was valid until 2026-11-22T13"):
        checked_credential(document, NOW + timedelta(hours=2))
    without_claim = {name: value for name, value in document.items() if name != "exp"}
    with pytest.raises(InvalidInputError, match="validUntil: it was valid"):
        checked_credential(without_claim, NOW + timedelta(hours=2))


def test_a_claim_that_says_other_than_the_credential_is_refused() -> None:
    for claim, value in (
        ("iss", "https://example.com"),
        ("jti", "urn:uuid:0"),
        ("nbf", 0),
        ("nbf", True),
        ("sub", "sam"),
        ("exp", 4_000_000_000),
        ("exp", "soon"),
    ):
        with pytest.raises(InvalidInputError, match=f"credential: {claim}:"):
            checked_credential(payload() | {claim: value}, NOW)


def places(data: Any, at: tuple[Any, ...] = ()) -> Iterable[tuple[Any, ...]]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield (*at, name)
            yield from places(value, (*at, name))


NEEDED = [
    place
    for place in places(payload())
    if place[-1] not in {"evidence", "url", "version", "achievementType"}
    and place not in {("name",), ("credentialSubject", "type"), ("issuer", "type")}
    and place[:3] != ("credentialSubject", "achievement", "id")
    and place[:3] != ("credentialSubject", "achievement", "type")
]


@pytest.mark.parametrize("place", NEEDED, ids=".".join)
@pytest.mark.parametrize("value", [..., None, 7, []], ids=["absent", "null", "number", "list"])
def test_what_lacks_a_part_is_no_credential(place: tuple[str, ...], value: Any) -> None:
    document: Any = copy.deepcopy(payload())
    at = document
    for name in place[:-1]:
        at = at[name]
    if value is ...:
        del at[place[-1]]
    else:
        at[place[-1]] = value
    with pytest.raises(InvalidInputError) as refused:
        checked_credential(document, NOW)
    assert refused.value.field == "credential"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(st.sampled_from(list(places(payload()))), json_values)
def test_any_value_anywhere_passes_or_is_refused_and_never_fails(
    place: tuple[str, ...], value: Any
) -> None:
    document: Any = copy.deepcopy(payload())
    at = document
    for name in place[:-1]:
        at = at[name]
    at[place[-1]] = value
    with contextlib.suppress(InvalidInputError):
        checked_credential(document, NOW)
        is_about(document, "sam")


def test_every_kind_of_criterion_has_a_sentence() -> None:
    criteria = [
        {"kind": "exercise", "data": {"assignment": "a", "grade_id": "b"}},
        {"kind": "chapter", "data": {"assignment": "a", "fraction": 1}},
        {"kind": "chapter", "data": {"assignment": "a", "fraction": 0.8}},
        {"kind": "chapters", "data": {"count": 3}},
        {"kind": "concepts", "data": {"count": 4}},
        {"kind": "concepts", "data": {"keys": ["core-1", "core-2"]}},
    ]
    [rule] = rules_from([{"id": "a", "title": "t", "description": "d", "criteria": criteria}])
    assert narrative(rule.criteria).splitlines() == [
        "All points in the exercise b of a.",
        "All points of a.",
        "At least 80 % of the points of a.",
        "All points in 3 chapters.",
        "All points in every exercise on 4 details of PPO.",
        "All points in every exercise on core-1, core-2.",
    ]


def test_a_thumbprint_is_that_of_rfc_8037() -> None:
    # Appendix A.3 of RFC 8037.
    key = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(key | {"kid": "x"}) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
