"""What a server that forwards is told, and what it refuses to be told."""

from __future__ import annotations

import pytest
from traitlets import TraitError
from traitlets.config import Config

from jupyter_ppo.domain.errors import ServiceRefusedError
from jupyter_ppo.wiring.forward_settings import ForwardSettings

URL = "http://127.0.0.1:8000/services/ppo/"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "the-token")
    monkeypatch.delenv("JUPYTER_PPO_SERVICE_URL", raising=False)


def test_without_an_address_nothing_is_forwarded() -> None:
    assert ForwardSettings().service_url == ""


def test_the_address_comes_from_the_environment_unless_it_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUPYTER_PPO_SERVICE_URL", URL)
    assert ForwardSettings().service_url == URL
    assert ForwardSettings(service_url="http://other/").service_url == "http://other/"


def test_the_token_comes_from_the_environment_only() -> None:
    config = Config({"ForwardSettings": {"service_url": URL, "service_token": "other"}})
    upstream = ForwardSettings(config=config).build_upstream()
    assert upstream.authorization == "token the-token"
    assert "the-token" not in f"{upstream} {upstream!r}"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_api_is_below_the_address(slash: str) -> None:
    upstream = ForwardSettings(service_url=f"https://hub.example/services/ppo{slash}")
    built = upstream.build_upstream()
    assert built.base == "/services/ppo/jupyter-ppo/api/v1"
    assert (built.netloc, built.is_tls, built.tls is not None) == ("hub.example", True, True)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/x",
        "host:8000",
        "http://",
        "http:///x",
        "http://host:0/",
        "http://host:99999/",
        "http://ho st/",
        "http://host/a\nb",
        "http://[::1/",
        "http://sam:secret@host/",
        "http://host/?token=secret",
        "http://host/#secret",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TraitError, match="service_url") as error:
        ForwardSettings(service_url=url)
    assert "secret" not in str(error.value)
    monkeypatch.setenv("JUPYTER_PPO_SERVICE_URL", url)
    with pytest.raises(TraitError, match="service_url") as error:
        ForwardSettings().build_upstream()
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("token", ["", "a b", "a\r\nX-Other: 1", "é"])
def test_without_a_usable_token_it_says_which_variable(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", token)
    with pytest.raises(ServiceRefusedError, match="JUPYTERHUB_API_TOKEN"):
        ForwardSettings(service_url=URL).build_upstream()


def test_certificates_that_are_not_there_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SSL_CLIENT_CA", "/nowhere/ca.pem")
    with pytest.raises(TraitError, match="JUPYTERHUB_SSL_CLIENT_CA"):
        ForwardSettings(service_url="https://hub/").build_upstream()
