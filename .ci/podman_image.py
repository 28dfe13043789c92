"""Brings the sandbox image into the engine at the given address, from the usual one where it can.

    python .ci/podman_image.py unix:///run/podman/podman.sock

The libraries are copied, since building them takes minutes; the last layer is built there.
"""

from __future__ import annotations

import sys

from jupyter_ppo.domain.errors import EngineUnavailableError
from jupyter_ppo.sandbox.base_image import has_image
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.image import build_image, dependencies_tag


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def copy_libraries(target: Engine) -> None:
    """Copy the image of libraries from the usual engine, unless it is there or there is none."""
    name = dependencies_tag()
    if has_image(target, name):
        return
    try:
        with Engine.connect(timeout=600) as source:
            if has_image(source, name):
                say(f"copying {name}")
                for answer in target.api.load_image(source.api.get_image(name)):
                    say(str(answer))
    except EngineUnavailableError as error:
        say(error.message)


def main(address: str) -> None:
    """Copy and build."""
    with Engine.connect(address, timeout=600) as target:
        copy_libraries(target)
        say(build_image(target, report=say))


if __name__ == "__main__":
    main(sys.argv[1])
