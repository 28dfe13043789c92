"""What every command works with: the settings and, when it asks for it, the service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from jupyter_core.application import JupyterApp
from traitlets import TraitError, Unicode

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.wiring import PPOService, Service


class _Settings(JupyterApp):
    """Reads the server's config files and ``--PPOService.x=y``, as the server would."""

    name = "jupyter-ppo"
    description = "Settings of the jupyter ppo commands."
    config_file_name = Unicode("jupyter_server_config")
    classes = [PPOService]  # noqa: RUF012  traitlets reads it from the class

    @classmethod
    def read(cls, argv: Sequence[str], config_file: str | None = None) -> PPOService:
        app = cls()
        if config_file is not None:
            app.config_file, app.raise_config_file_errors = config_file, True
        app.initialize(list(argv))
        return PPOService(config=app.config)


class Context:
    """Opens the service on first use and closes it when the command ends.

    ``config_file`` is read in place of the server's own, and must be one without a mistake.
    """

    def __init__(self, argv: Sequence[str], config_file: str | None = None) -> None:
        #: The settings that the command line gave.
        self.argv = tuple(argv)
        if config_file is not None:
            read_file(config_file)
        try:
            self.settings = _Settings.read(argv, config_file)
        except TraitError as error:
            raise InvalidInputError(str(error)) from error
        except Exception as error:
            if config_file is None:
                raise
            msg = f"config: {config_file!r} cannot be read: {error}. Mend the file."
            raise InvalidInputError(msg, field="config") from error
        self._service: Service | None = None

    @property
    def service(self) -> Service:
        """The service; its database is opened, and upgraded if needed, on first use."""
        if self._service is None:
            try:
                self._service = self.settings.build()
            except TraitError as error:
                raise InvalidInputError(str(error)) from error
        return self._service

    @property
    def caller(self) -> Caller:
        """The person at the terminal."""
        return self.settings.local_caller()

    def __enter__(self) -> Context:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._service is not None:
            self._service.close()


def read_file(path: str) -> bytes:
    """Return a file's bytes; raise ``NotFoundError`` or ``InvalidInputError`` with its name."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        msg = f"There is no file {path!r}."
        raise NotFoundError(msg, field="notebook") from error
    except OSError as error:
        msg = f"{path!r} cannot be read: {error.strerror}."
        raise InvalidInputError(msg, field="notebook") from error


Commands = Any
"""argparse's sub-command holder; its class is private there."""
