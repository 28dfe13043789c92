"""The wheels of a student's kernel, resolved on the host: an image is built with no network."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import ImageMissingError
from jupyter_ppo.sandbox.base_image import PythonTarget, Report, cache_dir

#: Seconds for fetching every wheel; most of it is torch.
_DOWNLOAD_SECONDS: Final = 3600

#: The oldest C library that wheels are still built for (PEP 600).
_OLDEST_GLIBC_MINOR: Final = 17


def ensure_wheels(requirements: Path, target: PythonTarget, report: Report) -> Path:
    """Return a folder with a wheel for every line of ``requirements``, made for ``target``.

    The folder is kept in the cache under the requirements' and the target's digest. Raises
    ``ImageMissingError`` with what pip said when a wheel cannot be had.
    """
    options = pip_target_options(target, host_target())
    key = hashlib.sha256(requirements.read_bytes() + repr(target).encode()).hexdigest()[:16]
    folder = cache_dir() / f"wheels-{key}"
    if folder.is_dir():
        return folder
    report(f"fetching wheels for Python {target.version[0]}.{target.version[1]}")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="wheels-") as scratch:
        fetched = Path(scratch) / "wheels"
        command = [
            sys.executable,
            *("-m", "pip", "download", "--disable-pip-version-check", "--no-input", "--quiet"),
            *("--only-binary=:all:", "--requirement", str(requirements), "--dest", str(fetched)),
            *options,
        ]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
        if done.returncode:
            msg = (
                f"pip could not fetch the wheels for the sandbox image: "
                f"{done.stderr.strip()[-800:]} Check the network or pip's index settings."
            )
            raise ImageMissingError(msg, field="requirements")
        try:
            fetched.rename(folder)
        except OSError:  # another build was faster; its folder is as good
            if not folder.is_dir():
                raise
    return folder


def host_target() -> PythonTarget | None:
    """Return this Python as a target, or None when wheels made for it fit no Linux image."""
    libc, glibc = platform.libc_ver()
    if sys.platform != "linux" or libc != "glibc" or sys.implementation.name != "cpython":
        return None
    major, minor = (int(part) for part in glibc.split(".")[:2])
    return PythonTarget(sys.version_info[:2], os.uname().machine, (major, minor))


def pip_target_options(target: PythonTarget, host: PythonTarget | None) -> list[str]:
    """Return what tells pip to fetch for ``target``; nothing when wheels for ``host`` fit.

    An older C library in the image than on the host rules some of the host's wheels out.
    """
    if (
        host is not None
        and (host.version, host.machine) == (target.version, target.machine)
        and host.glibc <= target.glibc
    ):
        return []
    major, minor = target.version
    tag = f"{major}{minor}"
    options = ["--python-version", f"{major}.{minor}", "--implementation", "cp"]
    for abi in (f"cp{tag}", "abi3", "none"):
        options += ["--abi", abi]
    for glibc in range(target.glibc[1], _OLDEST_GLIBC_MINOR - 1, -1):
        options += ["--platform", f"manylinux_{target.glibc[0]}_{glibc}_{target.machine}"]
    return [*options, "--platform", f"manylinux2014_{target.machine}"]
