"""The groups of somebody who is not there: asked for when an API token of theirs is used."""

from __future__ import annotations

import json
import threading
import time
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from jupyterhub.utils import make_ssl_context

from jupyter_ppo.domain.circuit import Circuit
from jupyter_ppo.domain.errors import HubUnavailableError
from jupyter_ppo.hub.identity import HubIdentityProvider

_RETRY_SECONDS = 5.0
#: Of so many people it is remembered when the hub was asked about them.
_REMEMBERED = 20_000


class Enrolling(Protocol):
    """What keeps memberships as groups are; see ``EnrolmentService``."""

    def grants(self, user: str, held: Any, allowed: Any) -> object:
        """Bring the person's memberships in line with ``held``."""


class GroupsNow:
    """Brings a person's memberships in line with the hub's groups, at most once in a while.

    The service's own token needs the scopes ``read:users:name`` and ``read:users:groups``.
    """

    def __init__(self, provider: HubIdentityProvider, enrolment: Enrolling) -> None:
        self._provider = provider
        self._enrolment = enrolment
        self._lock = threading.Lock()
        self._asked: dict[str, float] = {}
        self._circuit = Circuit(failures=5, seconds=_RETRY_SECONDS)

    def refresh(self, user: str) -> None:
        """Ask the hub about ``user`` unless that was done within ``recheck_seconds``.

        Whoever the hub does not know is in no course. Raises ``HubUnavailableError``: what cannot
        be checked is not believed.
        """
        now = time.monotonic()
        with self._lock:
            if self._asked.get(user, -1e9) + self._provider.recheck_seconds > now:
                return
        held = self._provider.person_in(self._model(user)).held
        self._enrolment.grants(user, held, {})
        with self._lock:
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            self._asked[user] = now

    def _model(self, user: str) -> dict[str, Any]:
        hub = self._provider.hub_auth
        wait = self._circuit.wait()
        if wait > 0:
            raise _no_answer(wait)
        request = Request(  # noqa: S310 - the hub's own address, which the hub tells its services
            f"{hub.api_url.rstrip('/')}/users/{quote(user, safe='')}",
            headers={"Authorization": f"token {hub.api_token}"},
        )
        tls = make_ssl_context(hub.keyfile, hub.certfile, cafile=hub.client_ca)
        try:
            with urlopen(request, timeout=hub.hub_seconds, context=tls) as answer:  # noqa: S310
                model = json.load(answer)
            if not isinstance(model, dict):
                raise TypeError
        except HTTPError as error:
            self._circuit.note(is_down=error.code >= HTTPStatus.INTERNAL_SERVER_ERROR)
            if error.code == HTTPStatus.NOT_FOUND:
                return {"kind": "user", "name": user}
            if error.code == HTTPStatus.FORBIDDEN:
                hub.log.error(
                    "The service may not read the groups of people at the hub, so no API token is "
                    "good. Give it a role with read:users:name and read:users:groups."
                )
            raise _no_answer() from None
        except (URLError, HTTPException, OSError, TypeError, ValueError):
            self._circuit.note(is_down=True)
            raise _no_answer() from None
        self._circuit.note(is_down=False)
        return model


def _no_answer(seconds: float = _RETRY_SECONDS) -> HubUnavailableError:
    msg = (
        "JupyterHub does not say who is in which course just now, so this API token cannot be "
        "checked. Try again in a moment."
    )
    return HubUnavailableError(msg, retry_after=seconds)
