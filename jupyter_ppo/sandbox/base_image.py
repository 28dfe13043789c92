"""The image that the sandbox image starts from: a Python and nothing else.

An official slim image where a registry answers; otherwise one made of Debian packages, so that a
machine that reaches only its package mirror can grade.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docker.errors import APIError, DockerException, NotFound
from platformdirs import user_cache_path
from requests.exceptions import RequestException

from jupyter_ppo.domain.errors import ImageMissingError
from jupyter_ppo.sandbox.engine import Engine

OFFICIAL_IMAGE: Final = "python:3.11-slim-bookworm"
DEBIAN_SUITE: Final = "bookworm"
DEBIAN_IMAGE: Final = f"jupyter-ppo-base:{DEBIAN_SUITE}"

#: The image is used by Python programs only; its documentation would be a third of it.
_LEFT_OUT: Final = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")

#: Seconds that making the base from Debian packages may take; about 30 with a near mirror.
_BOOTSTRAP_SECONDS: Final = 900

_FACTS: Final = (
    "import json, platform, sys; print(json.dumps([list(sys.version_info[:2]), platform.machine(), "
    "platform.libc_ver()[1]]))"
)

Report = Callable[[str], None]
"""Called with one line about what is being done."""


@dataclass(frozen=True, slots=True)
class PythonTarget:
    """The Python of an image, as far as the choice of wheels depends on it."""

    version: tuple[int, int]
    machine: str
    glibc: tuple[int, int]


def cache_dir() -> Path:
    """Return the folder for what takes long to fetch or make; PPO_CACHE_DIR moves it."""
    chosen = os.environ.get("PPO_CACHE_DIR")
    folder = Path(chosen) if chosen else user_cache_path("jupyter-ppo")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def has_image(engine: Engine, name: str) -> bool:
    """Return whether the engine holds an image of this name."""
    return image_facts(engine, name) is not None


def image_facts(engine: Engine, name: str) -> Mapping[str, Any] | None:
    """Return what the engine says of an image, or None when it does not hold it."""
    api: Any = engine.api  # the SDK's stubs leave these methods without types
    try:
        facts: Mapping[str, Any] = api.inspect_image(name)
    except NotFound:
        return None
    return facts


def ensure_base_image(engine: Engine, base_image: str | None, report: Report) -> str:
    """Return the name of a base image that the engine holds, fetching or making it if need be.

    ``base_image`` is taken as it is, and pulled when the engine lacks it. Raises
    ``ImageMissingError`` when there is none to be had.
    """
    for name in [base_image] if base_image else [OFFICIAL_IMAGE, DEBIAN_IMAGE]:
        if has_image(engine, name):
            report(f"base image {name} is there")
            return name
    wanted = base_image or OFFICIAL_IMAGE
    try:
        follow(_pull(engine, wanted, report), report)
    except (ImageMissingError, DockerException, RequestException) as error:
        if base_image:
            msg = (
                f"The base image {base_image} is neither here nor in a registry that answers: "
                f"{error}. Load it into the engine or name another one."
            )
            raise ImageMissingError(msg, field="base_image") from error
        report(f"no image registry answers ({str(error)[:200]})")
        return _from_debian_packages(engine, report)
    return wanted


def python_target(engine: Engine, image: str) -> PythonTarget:
    """Return which Python ``image`` has; raise ``ImageMissingError`` when there is none to use."""
    api = engine.api
    container = api.create_container(
        image,
        ["python3", "-c", _FACTS],
        host_config=api.create_host_config(network_mode="none"),
    )
    try:
        api.start(container)
        status = api.wait(container)["StatusCode"]
        output = api.logs(container, stdout=True, stderr=True).decode(errors="replace")
    except APIError as error:
        status, output = 127, str(error)
    finally:
        api.remove_container(container, force=True, v=True)
    if status:
        msg = f"The base image {image} cannot run python3: {output.strip()[-300:]}"
        raise ImageMissingError(msg, field="base_image")
    version, machine, glibc = json.loads(output)
    if tuple(version) < (3, 11) or not glibc:
        msg = (
            f"The base image {image} has Python {version[0]}.{version[1]} and C library "
            f"{glibc or 'unknown'}; it takes Python 3.11 or newer and glibc."
        )
        raise ImageMissingError(msg, field="base_image")
    major, minor = (int(part) for part in glibc.split(".")[:2])
    return PythonTarget((version[0], version[1]), machine, (major, minor))


def follow(lines: Iterable[Mapping[str, Any]], report: Report) -> None:
    """Report the steps of a build or a pull as the engine streams them.

    Raises ``ImageMissingError`` with the last lines when the engine says that it failed.
    """
    last: deque[str] = deque(maxlen=15)
    for line in lines:
        if "error" in line:
            tail = "\n".join(last)
            msg = f"The engine could not make the image: {str(line['error']).strip()}\n{tail}"
            raise ImageMissingError(msg.strip(), field="image")
        text = str(line.get("stream") or line.get("status") or "").strip()
        if not text:
            continue
        last.append(text)
        if text.startswith(("Step ", "Status: ")):
            report(text.splitlines()[0])


def _pull(engine: Engine, name: str, report: Report) -> Iterable[Mapping[str, Any]]:
    report(f"pulling {name}")
    repository, _, tag = name.rpartition(":")
    if not repository or "/" in tag:  # no tag, or the colon of a registry's port
        repository, tag = name, "latest"
    answer: Iterable[Mapping[str, Any]] = engine.api.pull(
        repository, tag=tag, stream=True, decode=True
    )
    return answer


def _from_debian_packages(engine: Engine, report: Report) -> str:
    archive = cache_dir() / f"base-{DEBIAN_SUITE}-{os.uname().machine}.tar"
    if not archive.exists():
        _bootstrap(archive, report)
    report(f"importing {archive.name} as {DEBIAN_IMAGE}")
    answer = engine.api.import_image_from_file(
        str(archive), repository="jupyter-ppo-base", tag=DEBIAN_SUITE
    )
    follow([json.loads(line) for line in answer.splitlines() if line.strip()], report)
    return DEBIAN_IMAGE


def _bootstrap(archive: Path, report: Report) -> None:
    """Make a root file system from Debian packages; it appears whole or not at all."""
    program = _mmdebstrap(report)
    report(f"making a base from Debian packages ({DEBIAN_SUITE}); this takes about half a minute")
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="base-") as folder:
        target = Path(folder) / "base.tar"
        command = [
            program,
            "--quiet",
            "--variant=minbase",
            "--include=python3,python3-venv,tini",
            *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT),
            DEBIAN_SUITE,
            str(target),
        ]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_BOOTSTRAP_SECONDS,
            check=False,
        )
        if done.returncode:
            msg = (
                "No image registry answers, and a base could not be made from Debian packages "
                f"either: {done.stderr.strip()[-600:]} Name an image that the engine holds with "
                "--base-image."
            )
            raise ImageMissingError(msg, field="base_image")
        target.replace(archive)


def _mmdebstrap(report: Report) -> str:
    """Return the program that makes a Debian root file system, installing it if we may."""
    found = shutil.which("mmdebstrap")
    apt = shutil.which("apt-get")
    if found is None and apt is not None and os.geteuid() == 0:
        report("installing mmdebstrap")
        for arguments in (["update", "-q"], ["install", "-y", "-q", "mmdebstrap"]):
            subprocess.run(
                [apt, *arguments],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_BOOTSTRAP_SECONDS,
                check=False,
            )
        found = shutil.which("mmdebstrap")
    if found is None:
        msg = (
            "No image registry answers, and mmdebstrap, which makes a base from Debian packages, "
            "is not installed. Install it (sudo apt-get install mmdebstrap), or name an image that "
            "the engine holds with --base-image."
        )
        raise ImageMissingError(msg, field="base_image")
    return found
