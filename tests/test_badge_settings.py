"""The settings of who signs badges."""

from __future__ import annotations

import pytest
from traitlets import TraitError

from jupyter_ppo.wiring import PPOService


@pytest.mark.parametrize("url", ["", "https://example.edu/ppo", "http://localhost:8000/~ines?a=b"])
def test_an_issuer_has_an_address_or_none(url: str) -> None:
    settings = PPOService(badge_issuer_url=url, badge_issuer_name="Universit\u00e4t")
    assert settings.badge_issuer_url == url


@pytest.mark.parametrize("url", ["example.edu", "javascript:alert(1)", "https://a b", "https://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(TraitError, match="badge_issuer_url"):
        PPOService(badge_issuer_url=url)


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 201])
def test_an_issuer_has_a_name(name: str) -> None:
    with pytest.raises(TraitError, match="badge_issuer_name"):
        PPOService(badge_issuer_name=name)
