"""Settings of a server that forwards to the course service of a JupyterHub."""

from __future__ import annotations

import os
import re
import ssl
from typing import Any
from urllib.parse import urlsplit

from traitlets import Float, TraitError, Unicode, default, validate
from traitlets.config import LoggingConfigurable

from jupyter_ppo.domain.errors import ServiceRefusedError
from jupyter_ppo.web.forwarding_upstream import Upstream

#: What a spawner puts into the environment of every server.
URL_VARIABLE = "JUPYTER_PPO_SERVICE_URL"
TOKEN_VARIABLE = "JUPYTERHUB_API_TOKEN"  # noqa: S105 - the name of a variable
#: With JupyterHub's ``internal_ssl``: who we are, and whom we trust.
_KEY, _CERTIFICATE = "JUPYTERHUB_SSL_KEYFILE", "JUPYTERHUB_SSL_CERTFILE"
_AUTHORITY = "JUPYTERHUB_SSL_CLIENT_CA"

_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]*")


class ForwardSettings(LoggingConfigurable):
    """The part of ``PPOService`` that is about forwarding; with it, nothing else of it is used."""

    service_url = Unicode(
        help="""Address of the course service of a JupyterHub, such as
        ``http://127.0.0.1:8000/services/ppo/``. With it this server keeps no courses: it sends
        every request there, with the token that the hub gave to this server. Default: the
        environment variable ``JUPYTER_PPO_SERVICE_URL``, else none.""",
    ).tag(config=True)

    service_timeout_seconds = Float(
        300.0,
        min=0.1,
        max=86_400,
        help="""With ``service_url``: seconds that the service may be silent in the middle of a
        request.""",
    ).tag(config=True)

    @default("service_url")
    def _default_service_url(self) -> str:
        return os.environ.get(URL_VARIABLE, "")

    @validate("service_url")
    def _check_service_url(self, proposal: Any) -> str:
        url: str = proposal["value"]
        _check_url(url)
        return url

    def build_upstream(self) -> Upstream:
        """Return the way to the service.

        Raises ``TraitError`` for an address that is none, ``ServiceRefusedError`` without a token.
        """
        _check_url(self.service_url)  # what comes from the environment is not validated
        # From the environment only: files and command lines are read by too many.
        token = os.environ.get(TOKEN_VARIABLE, "")
        if not _TOKEN.fullmatch(token):
            msg = (
                f"PPOService.service_url is set, but {TOKEN_VARIABLE} holds no token. Start this "
                "server with JupyterHub, or leave service_url out."
            )
            raise ServiceRefusedError(msg)
        tls = _tls() if self.service_url.startswith("https:") else None
        return Upstream(self.service_url, token, seconds=self.service_timeout_seconds, tls=tls)


def _check_url(url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        is_good = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and re.fullmatch(r"[\x21-\x7e]+", url) is not None
            and (parts.port is None or parts.port > 0)
            and _PATH.fullmatch(parts.path) is not None
        )
    except ValueError:
        is_good = False
    # Never repeated: a password that was put there would be in the log.
    if not is_good:
        msg = "service_url: this is no address. Use http(s)://host[:port]/services/ppo/."
        raise TraitError(msg)
    if "@" in parts.netloc or "?" in url or "#" in url:
        msg = "service_url: leave out the name, password, query and fragment."
        raise TraitError(msg)


def _tls() -> ssl.SSLContext:
    """Return what JupyterHub's ``internal_ssl`` set up, else what this machine trusts."""
    authority = os.environ.get(_AUTHORITY) or None
    key, certificate = os.environ.get(_KEY), os.environ.get(_CERTIFICATE)
    try:
        context = ssl.create_default_context(cafile=authority)
        if key and certificate:
            context.load_cert_chain(certificate, key)
    except OSError as error:
        msg = f"service_url: the certificates in {_KEY}, {_CERTIFICATE}, {_AUTHORITY}: {error}"
        raise TraitError(msg) from error
    return context
