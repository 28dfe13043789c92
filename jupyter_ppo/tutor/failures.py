"""What is said when a model gives no answer: our own words, never what the service wrote.

A service's error may repeat the key or what a student wrote, and ours reaches logs and people.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from jupyter_ppo.domain.errors import ModelUnavailableError
from jupyter_ppo.domain.tutoring import Failure, ModelAbout

INSTALL = "pip install 'jupyter_ppo[llm]'"
_CODE = re.compile(r"[a-z][a-z_]{0,48}", re.ASCII)
_REMEDIES = {
    Failure.UNAUTHORISED: "Check the key and what it may use.",
    Failure.REJECTED: "Check the model's name, the address and what the account has left.",
    Failure.RATE_LIMITED: "Try again later.",
    Failure.UNAVAILABLE: "Try again later, and check the address if it stays so.",
    Failure.TIMEOUT: "Try again later, or allow more with llm_timeout_seconds.",
    Failure.UNREADABLE: "Check that the address is that of the API.",
    Failure.CIRCUIT_OPEN: "It failed several times in a row and is left alone for a while.",
}


def failed(
    failure: Failure, about: ModelAbout, what: str, retry_after: float | None = None
) -> ModelUnavailableError:
    """Return the error for ``failure``; ``what`` is ours and says what happened."""
    msg = f"The language model at {about.host} gave no answer: {what}. {_REMEDIES[failure]}"
    return ModelUnavailableError(msg, failure=failure, retry_after=retry_after)


def failed_status(
    status: int, about: ModelAbout, code: str, *, retry_after: float | None, is_spent: bool
) -> ModelUnavailableError:
    """Return the error for an HTTP status; of the service's ``code`` only a plain word is told."""
    what = f"status {status}"
    if _CODE.fullmatch(code):
        what += f", {code}"
    if is_spent:
        return failed(Failure.REJECTED, about, f"{what}, the account's quota is spent")
    return failed(_of(status), about, what, retry_after)


def not_set_up(what: str) -> ModelUnavailableError:
    """Return the error of a server where no model can be asked; ``what`` says the remedy."""
    return ModelUnavailableError(what, failure=Failure.NOT_SET_UP)


def _of(status: int) -> Failure:
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Failure.UNAUTHORISED
        case HTTPStatus.TOO_MANY_REQUESTS:
            return Failure.RATE_LIMITED
        case HTTPStatus.REQUEST_TIMEOUT:
            return Failure.TIMEOUT
        case HTTPStatus.CONFLICT:
            return Failure.UNAVAILABLE
    return Failure.UNAVAILABLE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Failure.REJECTED
