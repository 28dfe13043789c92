"""API tokens as they are written, and what may be asked of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain import api_tokens
from jupyter_ppo.domain.api_tokens import ApiToken, TokenAccess
from jupyter_ppo.domain.courses import Role
from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.ids import new_id

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@given(st.uuids())
def test_what_is_written_is_read_again(token_id: UUID) -> None:
    secret = api_tokens.new_secret()
    text = api_tokens.written(token_id, secret)
    assert text.startswith("ppo_")
    assert api_tokens.read(text) == (token_id, secret)


@given(st.text())
def test_nothing_else_is_read(text: str) -> None:
    good = api_tokens.written(new_id(), api_tokens.new_secret())
    assert api_tokens.read(text) is None
    if text:
        assert api_tokens.read(good + text) is None
        assert api_tokens.read(text + good) is None


def test_a_secret_has_32_bytes_and_never_comes_twice() -> None:
    secrets = {api_tokens.new_secret() for _ in range(200)}
    assert len(secrets) == 200
    assert {len(secret) for secret in secrets} == {43}
    assert 62**43 > 2**256
    assert len(set("".join(secrets))) == 62


def test_only_the_same_secret_has_the_same_digest() -> None:
    secret = api_tokens.new_secret()
    assert api_tokens.is_same(secret, api_tokens.digest(secret))
    assert not api_tokens.is_same(api_tokens.new_secret(), api_tokens.digest(secret))
    assert secret not in api_tokens.digest(secret)


@pytest.mark.parametrize("one", Role)
@pytest.mark.parametrize("other", Role)
def test_the_lower_role_may_do_no_more_than_either(one: Role, other: Role) -> None:
    found = api_tokens.lower(one, other)
    assert found in {one, other}
    assert found.may_grade == (one.may_grade and other.may_grade)
    assert found.may_author == (one.may_author and other.may_author)


def test_a_token_is_good_until_it_expires_or_is_revoked() -> None:
    kinds = (Role.STUDENT, TokenAccess.READ)
    end = NOW + timedelta(days=1)
    token = ApiToken(new_id(), "sam", "ci", new_id(), "ppo", *kinds, NOW, end)
    assert token.is_good(end - timedelta(microseconds=1))
    assert not token.is_good(end)
    revoked = ApiToken(new_id(), "sam", "ci", new_id(), "ppo", *kinds, NOW, end, revoked_at=NOW)
    assert not revoked.is_good(NOW)
    assert token.lifetime == timedelta(days=1)


@pytest.mark.parametrize("days", [0, -1, 366])
def test_days_out_of_bounds_are_refused_with_the_bounds(days: int) -> None:
    with pytest.raises(InvalidInputError, match=r"days: .*1 to 365"):
        api_tokens.checked_days(days)
    assert api_tokens.checked_days(365) == timedelta(days=365)


@pytest.mark.parametrize("hours", [-0.1, 169.0, float("nan"), float("inf")])
def test_an_overlap_out_of_bounds_is_refused(hours: float) -> None:
    with pytest.raises(InvalidInputError, match=r"overlap_hours: .*0 to 168"):
        api_tokens.checked_overlap(hours)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "\x00"])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="name: "):
        api_tokens.checked_name(name)


def test_no_token_is_an_admin() -> None:
    with pytest.raises(InvalidInputError, match="role: "):
        api_tokens.checked_role(Role.ADMIN)
