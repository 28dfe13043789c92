"""Asking the hub who somebody is, in a way that several replicas of the service can share.

Sources: RFC 6749 section 10.12 (state), RFC 7636 (PKCE).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from jupyterhub.services.auth import HubOAuth
from tornado.web import HTTPError
from traitlets import Float

from jupyter_ppo.domain.circuit import Circuit
from jupyter_ppo.domain.errors import HubUnavailableError

_KEY_PURPOSE = b"jupyter-ppo oauth state 1"
_RETRY_SECONDS = 5.0


class StatelessHubOAuth(HubOAuth):
    """``HubOAuth`` whose sign-ins may begin at one replica and end at another.

    The base class keeps the page to return to and the PKCE verifier of each sign-in in the memory
    of one process. Here they are in the state itself, encrypted with a key that all replicas share.
    That a code is used once is seen to by the hub.
    """

    hub_seconds = Float(10.0, help="Seconds that an answer of the hub is waited for.").tag(
        config=True
    )

    #: Set by whoever makes it: the same on all replicas.
    state_secret: bytes = b""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._circuit = Circuit(failures=5, seconds=_RETRY_SECONDS)

    # -- the state of a sign-in ------------------------------------------------------------------

    def generate_state(self, next_url: str | None = None, **extra: Any) -> str:
        """Return a state that holds where to go afterwards and the PKCE verifier, unreadable."""
        return self._fernet().encrypt(json.dumps({"next_url": next_url, **extra}).encode()).decode()

    def _decode_state(self, state_id: str, /) -> dict[str, Any]:
        try:
            text = self._fernet().decrypt(state_id.encode(), ttl=self.oauth_state_max_age)
        except (InvalidToken, ValueError):
            return {}
        found: dict[str, Any] = json.loads(text)
        return found

    def clear_oauth_state(self, state_id: str) -> None:
        """Nothing is kept, so nothing is cleared."""

    def _fernet(self) -> Fernet:
        digest = hashlib.sha256(_KEY_PURPOSE + self.state_secret).digest()
        return Fernet(base64.urlsafe_b64encode(digest))

    # -- who a token belongs to ------------------------------------------------------------------

    async def _check_hub_authorization(
        self, url: str, api_token: str, cache_key: str | None = None, use_cache: bool = True
    ) -> Any:
        """Ask the hub, at most once at a time about one token; a fresh answer replaces a kept one.

        Raises ``HubUnavailableError`` when it does not answer.
        """
        key = str(cache_key)
        if use_cache:
            try:
                return self.cache[key]
            except KeyError:
                pass
            asked = self._asked.get(key)
            if asked is not None:
                return await asyncio.shield(asked)
        task = asyncio.ensure_future(self._ask(url, api_token, key))
        self._asked[key] = task
        task.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(task)

    def _forget(self, key: str, done: asyncio.Future[Any]) -> None:
        if self._asked.get(key) is done:
            del self._asked[key]
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody is to be told of it once more

    async def _ask(self, url: str, api_token: str, key: str) -> Any:
        model = await super()._check_hub_authorization(url, api_token, use_cache=False)
        if not isinstance(model, dict | None):
            raise _no_answer()
        self.cache[key] = model
        return model

    async def _api_request(self, method: str, url: str, /, **options: Any) -> Any:
        wait = self._circuit.wait()
        if wait > 0:
            raise _no_answer(wait)
        begin = time.monotonic()
        try:
            answer = await asyncio.wait_for(
                super()._api_request(method, url, **options), self.hub_seconds
            )
        except TimeoutError:
            self._circuit.note(is_down=True)
            self.log.warning("The hub did not answer within %.0f s", time.monotonic() - begin)
            raise _no_answer() from None
        except HTTPError as error:
            if error.status_code < 500:
                self._circuit.note(is_down=False)
                raise
            self._circuit.note(is_down=True)
            self.log.warning("The hub cannot be asked: %s", error.log_message)
            raise _no_answer() from None
        except Exception as error:
            # The base class lets through whatever its client raises in the middle of an answer,
            # and what is no JSON.
            self._circuit.note(is_down=True)
            self.log.warning("The answer of the hub cannot be read: %s", type(error).__name__)
            raise _no_answer() from None
        self._circuit.note(is_down=False)
        return answer


def _no_answer(seconds: float = _RETRY_SECONDS) -> HubUnavailableError:
    msg = "JupyterHub does not answer, so nobody can be signed in just now. Try again in a moment."
    return HubUnavailableError(msg, retry_after=seconds)
