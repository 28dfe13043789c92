"""A person's own seed."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.seeds import personal_seed

VERSION = UUID("0199a5d2-0000-7000-8000-000000000000")
SECRET = bytes(range(32))


def test_a_seed_is_the_hmac_of_version_and_user_under_the_secret() -> None:
    # openssl dgst -sha256 -mac HMAC of the 16 bytes of the version and "ada"
    assert personal_seed(SECRET, VERSION, "ada") == 34870762


@given(st.binary(min_size=32, max_size=32), st.uuids(), st.text(st.characters(codec="utf-8")))
def test_every_seed_fits_every_generator_and_never_changes(
    secret: bytes, version: UUID, user: str
) -> None:
    seed = personal_seed(secret, version, user)
    assert 0 <= seed < 2**31
    assert personal_seed(secret, version, user) == seed


def test_another_secret_version_or_person_has_another_seed() -> None:
    seeds = {
        personal_seed(secret, version, user)
        for secret in (SECRET, bytes(32))
        for version in (VERSION, UUID(int=VERSION.int + 1))
        for user in ("ada", "bob", "")
    }
    assert len(seeds) == 12
