"""Settings of a model are checked, and never tell the key."""

from __future__ import annotations

import pytest

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.tutor.setup import ModelSetup

KEY = "sk-very-secret-0123456789"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("provider", "gemini"),
        ("model", " "),
        ("model", "a\nb"),
        ("structured", "tools"),
        ("base_url", "ftp://host/v1"),
        ("base_url", "host/v1"),
        ("base_url", "https://"),
        ("base_url", "https://host:port/v1"),
        ("base_url", f"https://user:{KEY}@host/v1"),
        ("base_url", f"https://host/v1?key={KEY}"),
        ("base_url", "https://host/v1#x"),
        ("base_url", "https://ho st/v1"),
        ("key", f"{KEY}\nX-Other: 1"),
        ("key", f"{KEY}é"),
    ],
)
def test_what_cannot_work_is_named_without_its_secret(field: str, value: str) -> None:
    with pytest.raises(InvalidInputError, match=f"^{field}: ") as caught:
        ModelSetup(**{"provider": "openai", "model": "m", field: value})
    assert caught.value.field == field
    assert KEY not in str(caught.value)


def test_the_key_is_in_no_text_made_of_it() -> None:
    setup = ModelSetup("openai", "m", key=KEY)
    assert KEY not in f"{setup!r}{setup}{setup.about!r}"


@pytest.mark.parametrize(
    ("setup", "host"),
    [
        (ModelSetup("openai", "m"), "api.openai.com"),
        (ModelSetup("anthropic", "m"), "api.anthropic.com"),
        (ModelSetup("openai", "m", base_url="http://localhost:11434/v1"), "localhost:11434"),
        (ModelSetup("openai", "m", base_url="https://x.openai.azure.com/openai/v1/"), None),
    ],
)
def test_of_the_address_only_the_host_is_told(setup: ModelSetup, host: str | None) -> None:
    assert setup.about.host == (host or "x.openai.azure.com")


@pytest.mark.parametrize(
    ("setup", "lacks"),
    [
        (ModelSetup("openai", "m"), True),
        (ModelSetup("openai", "m", key=KEY), False),
        (ModelSetup("openai", "m", base_url="http://localhost:1/v1"), False),
        (ModelSetup("anthropic", "m", base_url="http://localhost:1"), True),
    ],
)
def test_a_local_service_needs_no_key(setup: ModelSetup, lacks: bool) -> None:
    assert setup.lacks_key is lacks
