"""The sandbox image: its name, whether it is there, and how it is built.

Two images: the libraries (``docker/Dockerfile``, minutes, changes seldom) and on top of them what a
student's kernel imports of this package (``docker/Dockerfile.package``, seconds). The tag of each
is the digest of what goes into it, so an image is either up to date or not there.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from docker.errors import DockerException
from requests.exceptions import RequestException

from jupyter_ppo.domain.errors import EngineUnavailableError, ImageMissingError
from jupyter_ppo.sandbox.base_image import (
    Report,
    cache_dir,
    ensure_base_image,
    follow,
    has_image,
    image_facts,
    python_target,
)
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.wheelhouse import ensure_wheels

REPOSITORY: Final = "jupyter-ppo-sandbox"
DEPENDENCIES_REPOSITORY: Final = "jupyter-ppo-dependencies"

_PACKAGE: Final = Path(__file__).resolve().parent.parent

#: What a student's kernel imports of this package: paths below it. The server's side stays out.
_KERNEL_SIDE: Final = ("__init__.py", "_version.py", "checks", "domain", "training", "widgets")

#: The parts of this package that need the heavy modules.
_HEAVY_OURS: Final = frozenset(
    f"jupyter_ppo.training.{name}"
    for name in (
        "divergence",
        "env_state",
        "environments",
        "evaluating",
        "evaluation_plan",
        "model",
        "quick_start",
        "native_envs",
        "recorder",
        "snapshot",
        "trainer",
    )
)

_REMEDY: Final = "Build it with: jupyter ppo image build"


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """Which image this version of the package needs, and whether the engine holds it.

    ``size_bytes`` and ``created`` (RFC 3339, by the engine's clock) are None while it is missing.
    """

    tag: str
    present: bool
    size_bytes: int | None
    created: str | None


def context_dir() -> Path:
    """Return the folder with the Dockerfiles: in the installed package, or in the checkout."""
    installed = _PACKAGE / "sandbox" / "context"
    return installed if installed.is_dir() else _PACKAGE.parent / "docker"


def image_tag() -> str:
    """Return the name of the image that this version of the package needs.

    Raises ``ImageMissingError`` when the installed package lacks the build context.
    """
    return _tag(_dependencies_context(), _package_context())


def dependencies_tag(base_image: str | None = None) -> str:
    """Return the name of the image of libraries that the sandbox image is built on.

    A base that was asked for is part of it: it replaces neither the default nor another one.
    """
    return _dependencies_tag(_dependencies_context(), base_image)


def image_present(engine: Engine) -> bool:
    """Return whether the image is built; raise ``EngineUnavailableError`` when none answers."""
    return image_status(engine).present


def image_status(engine: Engine) -> ImageStatus:
    """Return what there is of the image; raise ``EngineUnavailableError`` when none answers."""
    tag = image_tag()
    with _engine_errors():
        facts = image_facts(engine, tag)
    if facts is None:
        return ImageStatus(tag, present=False, size_bytes=None, created=None)
    return ImageStatus(tag, True, int(facts["Size"]), str(facts["Created"]))


def ensure_image(engine: Engine) -> str:
    """Return the image's name; raise ``ImageMissingError`` when it is not built.

    It is never built on the way: that takes minutes, and someone waits for a grade.
    """
    status = image_status(engine)
    if not status.present:
        raise _not_built(status.tag)
    return status.tag


@dataclass(frozen=True, slots=True)
class Preload:
    """Modules that an image asks to have imported while nobody waits.

    ``light`` always; ``heavy`` only where something is going to import one of them.
    """

    light: tuple[str, ...]
    heavy: tuple[str, ...]

    def is_heavy(self, modules: Iterable[str]) -> bool:
        """Whether code that imports ``modules`` needs what is heavy."""
        tops = {name.partition(".")[0] for name in self.heavy}
        return any(name.partition(".")[0] in tops or name in _HEAVY_OURS for name in modules)

    def needed_by(self, modules: Iterable[str]) -> tuple[str, ...]:
        """Return what to import in advance for code that imports ``modules``."""
        return self.light + (self.heavy if self.is_heavy(modules) else ())


def image_preload(engine: Engine) -> Preload:
    """Return what the image's labels ``jupyter-ppo.preload`` and ``-heavy`` name.

    Raises ``ImageMissingError`` when it is not built, ``EngineUnavailableError`` when no engine
    answers. Labels hold names with blanks between them; what is no module name is left out.
    """
    tag = image_tag()
    with _engine_errors():
        facts = image_facts(engine, tag)
    if facts is None:
        raise _not_built(tag)
    labels = (facts.get("Config") or {}).get("Labels") or {}

    def modules(label: str) -> tuple[str, ...]:
        names = str(labels.get(label, "")).split()
        return tuple(name for name in names if all(map(str.isidentifier, name.split("."))))

    return Preload(modules("jupyter-ppo.preload"), modules("jupyter-ppo.preload-heavy"))


def _not_built(tag: str) -> ImageMissingError:
    msg = f"The sandbox image {tag} is not built, so nothing can be run. {_REMEDY}"
    return ImageMissingError(msg, field="image")


def build_image(
    engine: Engine, *, base_image: str | None = None, report: Report = lambda line: None
) -> str:
    """Build the image unless it is there; return its name.

    ``base_image`` (else see ``ensure_base_image``) counts only when the libraries are installed
    anew. ``report`` gets a line for every step. Builds by several processes wait for each other.
    Raises ``ImageMissingError`` with the step that failed, ``EngineUnavailableError`` when the
    engine goes away.
    """
    # Read once: files that change meanwhile must not get into an image named after the old ones.
    libraries, package = list(_dependencies_context()), list(_package_context())
    tag = _tag(libraries, package)
    with _engine_errors(), _one_at_a_time():
        if base_image is None and has_image(engine, tag):
            report(f"{tag} is up to date")
            return tag
        dependencies = _build_dependencies(engine, libraries, base_image, report)
        _build(
            engine,
            package,
            dockerfile="Dockerfile.package",
            tag=tag,
            arguments={"DEPENDENCIES_IMAGE": dependencies},
            report=report,
        )
    return tag


def _build_dependencies(
    engine: Engine, files: list[tuple[str, bytes]], base_image: str | None, report: Report
) -> str:
    tag = _dependencies_tag(files, base_image)
    if has_image(engine, tag):
        report(f"{tag} is up to date")
        return tag
    base = ensure_base_image(engine, base_image, report)
    wheels = ensure_wheels(context_dir() / "requirements.txt", python_target(engine, base), report)
    _build(
        engine,
        files,
        folders={"wheels": wheels},
        dockerfile="Dockerfile",
        tag=tag,
        arguments={"BASE_IMAGE": base},
        report=report,
    )
    # The stage that held the wheels is as large as the image and of no more use.
    api: Any = engine.api  # the SDK's stubs leave this method without types
    api.prune_images(filters={"dangling": True, "label": "jupyter-ppo.stage=wheels"})
    return tag


def _build(
    engine: Engine,
    files: Iterable[tuple[str, bytes]],
    *,
    dockerfile: str,
    tag: str,
    arguments: Mapping[str, str],
    report: Report,
    folders: Mapping[str, Path] | None = None,
) -> None:
    report(f"building {tag}")
    with tempfile.TemporaryFile(dir=cache_dir()) as context:
        _write_context(context, files, folders or {})
        context.seek(0)
        answer = engine.api.build(
            fileobj=context,
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            buildargs=dict(arguments),
            network_mode="none",
            rm=True,
            forcerm=True,
            decode=True,
        )
        follow(answer, report)


def _write_context(
    target: IO[bytes], files: Iterable[tuple[str, bytes]], folders: Mapping[str, Path]
) -> None:
    """Write a build context that depends on contents only, not on times or owners."""
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            if name.endswith("/"):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(entry, io.BytesIO(data))
        for name, folder in folders.items():
            for path in sorted(folder.iterdir()):
                entry = tarfile.TarInfo(f"{name}/{path.name}")
                entry.size, entry.mode = path.stat().st_size, 0o644
                with path.open("rb") as data_file:
                    archive.addfile(entry, data_file)


def _dependencies_context() -> Iterator[tuple[str, bytes]]:
    for name in ("Dockerfile", "requirements.txt"):
        yield _context_file(name)


def _package_context() -> Iterator[tuple[str, bytes]]:
    yield _context_file("Dockerfile.package")
    yield "dev/shm/", b""  # a folder that everyone may write to; Podman's mount takes its mode
    for part in _KERNEL_SIDE:
        path = _PACKAGE / part
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            if file.is_file() and "__pycache__" not in file.parts:
                name = file.relative_to(_PACKAGE.parent).as_posix()
                yield name, file.read_bytes()


def _context_file(name: str) -> tuple[str, bytes]:
    path = context_dir() / name
    try:
        return name, path.read_bytes()
    except OSError as error:
        msg = (
            f"The build context of the sandbox image is incomplete ({path}); reinstall jupyter_ppo."
        )
        raise ImageMissingError(msg, field="image") from error


def _tag(libraries: Iterable[tuple[str, bytes]], package: Iterable[tuple[str, bytes]]) -> str:
    return f"{REPOSITORY}:{_digest([*libraries, *package])}"


def _dependencies_tag(files: Iterable[tuple[str, bytes]], base_image: str | None) -> str:
    named = [("BASE_IMAGE", base_image.encode())] if base_image else []
    return f"{DEPENDENCIES_REPOSITORY}:{_digest([*files, *named])}"


def _digest(files: Iterable[tuple[str, bytes]]) -> str:
    """Return 12 hex digits over names and contents; lengths keep neighbours apart."""
    digest = hashlib.sha256()
    for name, data in files:
        digest.update(f"{name}\0{len(data)}\0".encode())
        digest.update(data)
    return digest.hexdigest()[:12]


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Turn whatever the Docker SDK raises into the one error that callers know."""
    try:
        yield
    except (DockerException, RequestException) as error:
        msg = (
            f"The container engine did not do what it was asked: {error}. Try again: what was "
            "built is kept. If it stays so, see the engine's log ('docker/engine.sh start' says "
            "where)."
        )
        raise EngineUnavailableError(msg, field="engine") from error


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (cache_dir() / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
