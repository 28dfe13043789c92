"""The server of the service: a Jupyter server of which only our addresses are left."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlparse

from jupyter_server.base.handlers import RedirectWithParams, Template404
from jupyter_server.serverapp import ServerApp
from jupyterhub.singleuser.extension import JupyterHubLogoutHandler, JupyterHubOAuthCallbackHandler
from tornado.web import RequestHandler
from traitlets import Bytes, default

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.hub.authorizer import OnlyOurs
from jupyter_ppo.hub.identity import HubIdentityProvider

#: What is left of the addresses that every Jupyter server has.
KEPT: tuple[type[RequestHandler], ...] = (
    RedirectWithParams,
    JupyterHubLogoutHandler,
    JupyterHubOAuthCallbackHandler,
    Template404,
)
#: Bodies of addresses that are not ours are held in memory whole: RFC 9110, section 15.5.14.
MAX_BODY_BYTES = 2**20
SECRET_VARIABLE = "JUPYTER_PPO_COOKIE_SECRET"  # noqa: S105 - the name of a variable
_SECRET_BYTES = 32
_NEEDED = ("JUPYTERHUB_SERVICE_URL", "JUPYTERHUB_SERVICE_PREFIX", "JUPYTERHUB_API_TOKEN")

#: On every response, also on errors and static files.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "object-src 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class ServiceServer(ServerApp):
    """A server without contents, files, kernels, sessions and terminals.

    They would run with the rights of the service for everybody who can sign in.
    """

    name = "jupyter-ppo-service"
    default_services = ()  # type: ignore[assignment]  # declared as a tuple of so many

    cookie_secret = Bytes(
        help=f"""Signs the cookies and encrypts the states of sign-ins; the same on every replica.
        From {SECRET_VARIABLE}, in hexadecimal, or else a file beside the runtime files.""",
    ).tag(config=True)

    @default("cookie_secret")
    def _secret_of_all_replicas(self) -> bytes:
        text = os.environ.get(SECRET_VARIABLE, "")
        if not text:
            own: bytes = self._default_cookie_secret()
            return own
        try:
            secret = bytes.fromhex(text)
        except ValueError:
            secret = b""
        if len(secret) < _SECRET_BYTES:
            msg = (
                f"{SECRET_VARIABLE}: use at least {2 * _SECRET_BYTES} hexadecimal digits, such as "
                "those that `openssl rand -hex 32` prints."
            )
            raise InvalidInputError(msg, field=SECRET_VARIABLE)
        return secret

    def use_the_hub(self) -> None:
        """Take the address and the identity from what the hub tells its services.

        Raises ``InvalidInputError`` when the hub has not told it.
        """
        missing = [name for name in _NEEDED if not os.environ.get(name)]
        if missing:
            msg = (
                f"{missing[0]}: it is not set. Let JupyterHub start this service "
                "(c.JupyterHub.services), or set what docs/jupyterhub.md lists for a service that "
                "you start yourself."
            )
            raise InvalidInputError(msg, field=missing[0])
        url = urlparse(os.environ["JUPYTERHUB_SERVICE_URL"])
        config = self.config.ServerApp
        config.ip, config.port, config.port_retries = url.hostname, url.port or 80, 0
        config.base_url = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
        config.identity_provider_class = HubIdentityProvider
        config.authorizer_class = OnlyOurs
        config.open_browser = False
        config.allow_unauthenticated_access = False
        # The name that a browser knows is that of the hub's proxy, which nobody passes by.
        config.allow_remote_access = config.trust_xheaders = True
        config.max_body_size = MAX_BODY_BYTES
        config.disable_check_xsrf = False
        # Nobody is at a terminal to be asked; whose process this is the hub has decided.
        config.answer_yes = config.allow_root = True

    def init_webapp(self) -> None:
        """Build the application and take away every address that nobody asked for."""
        super().init_webapp()
        settings: dict[str, Any] = self.web_app.settings
        # Tornado would ask before it is known who asks; jupyter_server asks again afterwards.
        settings["xsrf_cookies"] = False
        settings.setdefault("headers", {}).update(HEADERS)
        router = self.web_app.wildcard_router
        router.rules = [rule for rule in router.rules if _is_kept(rule.target)]


def _is_kept(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, KEPT)
