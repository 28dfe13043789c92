"""How a container ended whose process 1 said nothing, asked of the engine from outside.

Student code cannot stop process 1, but it can make it the one that the system's out-of-memory
killer chooses. So an end without a last word may be the code's own doing, and only who started the
container can tell. Sources: Docker Engine API, "Monitor events"; runc's exit codes.
"""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from docker.errors import DockerException
from requests.exceptions import RequestException

from jupyter_ppo.sandbox.engine import Engine

#: How long the engine may take to have noticed an end, in seconds, on a busy machine.
NOTICE_SECONDS: Final = 10.0
#: Added by runc and crun to the number of the signal that ended process 1.
_SIGNALLED: Final = 128

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ContainerEnd:
    """The end of process 1: ``code`` as in subprocess, negative for a signal."""

    code: int
    out_of_memory: bool


def end_of(engine: Engine, name: str) -> ContainerEnd | None:
    """Return how the container ended by itself, or None when it did not, as far as is known.

    None says that the fault is ours: it still runs, process 1 left because its input had ended,
    somebody ended it through the engine, or the engine does not answer, was restarted, or keeps no
    events. Takes at most about ``NOTICE_SECONDS`` and raises nothing.
    """
    memory = False
    code: int | None = None
    try:
        for action, attributes in _events(engine, name):
            match action:
                case "oom":
                    memory = True
                case "kill" if code is None:
                    return None
                case "die" | "died":
                    code = int(attributes["exitCode"])
                    if code == 0:
                        return None
                    code = _SIGNALLED - code if code > _SIGNALLED else code
                case "destroy" | "remove":
                    break
            # On a busy machine the word of the killer may come after that of the killed.
            if code is not None and (memory or code != -signal.SIGKILL):
                break
    except (DockerException, RequestException, OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("The engine does not say how a container ended: %s", error)
    return None if code is None else ContainerEnd(code, memory)


def _events(engine: Engine, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the engine tells of a container, past and to come, for ``NOTICE_SECONDS``.

    No end of the time is given, since the engine's clock may be another than ours.
    """
    api = engine.api
    end = time.monotonic() + NOTICE_SECONDS
    # Not ``api.events``, which waits for the first answer without any limit.
    with api.get(
        f"{api.base_url}/v{api.api_version}/events",
        params={"since": "1", "filters": json.dumps({"container": [name]})},
        stream=True,
        timeout=NOTICE_SECONDS,
    ) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if line:
                event = json.loads(line)
                yield str(event["Action"]), event["Actor"]["Attributes"]
            if time.monotonic() > end:
                return
