"""Every error a user can meet. HTTP statuses and exit codes are attached elsewhere, once.

::

    PPOError
     ├── InvalidInputError          what was sent cannot be used; ``field`` says which part
     │    ├── InvalidNotebookError      not a notebook we can read
     │    ├── InvalidModelError         not a saved model we can take
     │    ├── WrongAssignmentError      a notebook, but not of this assignment
     │    ├── UntrustedRunError         a run with pickled files that this user did not write
     │    └── TooLargeError             over a size limit
     ├── UnauthorizedError          an API token that is not good
     ├── NotFoundError              no such thing, or not for this caller
     ├── ForbiddenError             the caller's role does not allow it
     ├── ConflictError              it exists already, or its state does not allow it
     │    └── EditConflictError         somebody saved in between; holds both values
     ├── TooManyRequestsError       over a rate or a quota; ``retry_after`` says when it will pass
     │    ├── BudgetSpentError          a cap on what models may cost; nothing was sent
     │    └── RateLimitedError          too many requests in a short time; ``field`` names the limit
     ├── UnavailableError           a part outside of us is missing or down
     │    ├── EngineUnavailableError    no container engine answers
     │    ├── ImageMissingError         the sandbox image is not built
     │    ├── ModelUnavailableError     no language model is set up, or it gives no answer
     │    ├── StorageFullError          no room left for what was sent; nothing was kept
     │    ├── BusyError                 all places are taken; ``retry_after`` says when to try again
     │    └── HubUnavailableError       JupyterHub does not answer, so nobody can be recognised
     ├── ServiceUnavailableError    the course service that we forward to is down
     ├── ServiceTimeoutError        it takes too long
     ├── ServiceRefusedError        it does not take this server's token
     ├── DamagedFileError           one stored file cannot be read; the others can
     ├── DatabaseVersionError       the database belongs to a newer version of this package
     ├── LeaseLostError             another worker took the job over; our result is dropped
     ├── SandboxError               the container failed for our reasons: try again, never a grade
     └── CheckFailedError           a self-check of the installation did not give what it must
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jupyter_ppo.domain.tutoring import Failure


class PPOError(Exception):
    """The root. ``message`` is for the user: what is wrong and what to do about it."""

    code = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class InvalidInputError(PPOError):
    """What was sent cannot be used."""

    code = "invalid_input"


class InvalidNotebookError(InvalidInputError):
    """The bytes are not a notebook that we can read."""

    code = "invalid_notebook"


class InvalidModelError(InvalidInputError):
    """The bytes are not a saved model that we can take."""

    code = "invalid_model"


class WrongAssignmentError(InvalidInputError):
    """The notebook holds none of the assignment's graded cells."""

    code = "wrong_assignment"


class UntrustedRunError(InvalidInputError):
    """Reading this file of a run could run code, and this user has not written or trusted it."""

    code = "untrusted_run"


class TooLargeError(InvalidInputError):
    """What was sent is over a size limit."""

    code = "too_large"


class UnauthorizedError(PPOError):
    """An API token is unknown, has expired or was revoked."""

    code = "unauthorized"


class NotFoundError(PPOError):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"


class ForbiddenError(PPOError):
    """The caller's role does not allow this."""

    code = "forbidden"


class ConflictError(PPOError):
    """It exists already, or its state does not allow this."""

    code = "conflict"


class EditConflictError(ConflictError):
    """Somebody else saved in between. ``yours`` is what was sent, ``theirs`` what is stored now.

    Both are plain data in the shape that the resource is answered in; nothing was changed.
    """

    code = "edit_conflict"

    def __init__(
        self,
        message: str,
        *,
        yours: Mapping[str, Any],
        theirs: Mapping[str, Any],
        field: str | None = None,
    ) -> None:
        super().__init__(message, field=field)
        self.yours = dict(yours)
        self.theirs = dict(theirs)


class TooManyRequestsError(PPOError):
    """The caller is over a rate or a quota. ``retry_after`` is in seconds."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: float, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class BudgetSpentError(TooManyRequestsError):
    """A cap on what language models may cost is reached. ``field`` names the cap."""

    code = "budget_spent"


class RateLimitedError(TooManyRequestsError):
    """Too many requests came in a short time. ``field`` names the limit."""

    code = "rate_limited"


class UnavailableError(PPOError):
    """A part that we depend on is missing or down.

    ``retry_after`` is in seconds, or None where waiting alone does not help.
    """

    code = "unavailable"

    def __init__(
        self, message: str, *, field: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, field=field)
        self.retry_after = retry_after


class EngineUnavailableError(UnavailableError):
    """No container engine answers."""

    code = "engine_unavailable"


class ImageMissingError(UnavailableError):
    """The sandbox image is not built, or out of date."""

    code = "image_missing"


class ModelUnavailableError(UnavailableError):
    """No language model is set up, or it gave no answer. ``retry_after`` is in seconds, or None."""

    code = "model_unavailable"

    def __init__(self, message: str, *, failure: Failure, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.failure = failure


class StorageFullError(UnavailableError):
    """There is no room left; nothing of what was sent was kept."""

    code = "storage_full"


class BusyError(UnavailableError):
    """All places are taken. ``retry_after`` is in seconds."""

    code = "busy"
    retry_after: float

    def __init__(self, message: str, *, retry_after: float, field: str | None = None) -> None:
        super().__init__(message, field=field, retry_after=retry_after)


class HubUnavailableError(UnavailableError):
    """JupyterHub does not answer, so nobody can be recognised. ``retry_after`` is in seconds."""

    code = "hub_unavailable"
    retry_after: float

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message, retry_after=retry_after)


class ServiceUnavailableError(PPOError):
    """The course service that we forward to does not answer. ``retry_after`` is in seconds."""

    code = "service_unavailable"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServiceTimeoutError(PPOError):
    """The course service that we forward to did not answer in time."""

    code = "service_timeout"


class ServiceRefusedError(PPOError):
    """The course service that we forward to does not take this server's token."""

    code = "service_refused"


class DamagedFileError(PPOError):
    """One stored file is damaged or cannot be read; the others are not affected."""

    code = "damaged_file"


class DatabaseVersionError(PPOError):
    """The database was written by a newer version of this package."""

    code = "database_version"


class LeaseLostError(PPOError):
    """Another worker holds this job now; what we did is dropped."""

    code = "lease_lost"


class SandboxError(PPOError):
    """The sandbox failed for our reasons, not the student's: retry, never grade.

    ``seconds`` is how long programs had run in it by then; 0 when none had begun.
    """

    code = "sandbox_failed"

    def __init__(self, message: str, *, field: str | None = None, seconds: float = 0.0) -> None:
        super().__init__(message, field=field)
        self.seconds = seconds


class CheckFailedError(PPOError):
    """A self-check of the installation did not give what it must."""

    code = "check_failed"
