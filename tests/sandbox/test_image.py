"""The sandbox image: its name, its parts, and a build of it."""

from __future__ import annotations

import json
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import ImageMissingError
from jupyter_ppo.sandbox import image
from jupyter_ppo.sandbox.base_image import PythonTarget, cache_dir, ensure_base_image, follow
from jupyter_ppo.sandbox.engine import Engine
from jupyter_ppo.sandbox.wheelhouse import ensure_wheels, host_target, pip_target_options

ROOT = Path(__file__).resolve().parents[2]

targets = st.builds(
    PythonTarget,
    st.tuples(st.just(3), st.integers(11, 20)),
    st.sampled_from(["x86_64", "aarch64"]),
    st.tuples(st.just(2), st.integers(17, 60)),
)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what the image is made from, which the image module works on."""
    package = tmp_path / "jupyter_ppo"
    skipped = shutil.ignore_patterns("__pycache__", "labextension")
    shutil.copytree(ROOT / "jupyter_ppo", package, ignore=skipped)
    shutil.copytree(ROOT / "docker", tmp_path / "docker")
    monkeypatch.setattr(image, "_PACKAGE", package)
    return tmp_path


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine.connect() as engine:
        yield engine


@pytest.fixture
def built(engine: Engine) -> str:
    """The image's name; building it takes seconds when only the package changed."""
    return image.build_image(engine)


def run(engine: Engine, name: str, program: str) -> str:
    """Run a Python program in a container as the sandbox would; return what it printed."""
    api = engine.api
    container = api.create_container(
        name,
        ["python", "-c", program],
        host_config=api.create_host_config(
            network_mode="none", read_only=True, cap_drop=["ALL"], mem_limit="2g"
        ),
    )
    try:
        api.start(container)
        status = api.wait(container, timeout=120)["StatusCode"]
        output: str = api.logs(container).decode()
    finally:
        api.remove_container(container, force=True)
    assert status == 0, output
    return output


def test_the_tag_depends_on_contents_and_not_on_the_place(checkout: Path) -> None:
    tag = image.image_tag()
    shutil.copytree(checkout, checkout / "elsewhere", ignore=shutil.ignore_patterns("elsewhere"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image, "_PACKAGE", checkout / "elsewhere" / "jupyter_ppo")
        assert image.image_tag() == tag


@pytest.mark.parametrize(
    "name",
    [
        "docker/Dockerfile",
        "docker/Dockerfile.package",
        "docker/requirements.txt",
        "jupyter_ppo/__init__.py",
        "jupyter_ppo/domain/ids.py",
        "jupyter_ppo/training/added.py",
        "jupyter_ppo/widgets/added.js",
    ],
)
def test_a_change_of_what_goes_in_changes_the_tag(checkout: Path, name: str) -> None:
    before = image.image_tag()
    with (checkout / name).open("a") as file:
        file.write("# changed\n")
    assert image.image_tag() != before


@pytest.mark.parametrize(
    "name", ["jupyter_ppo/web/added.py", "jupyter_ppo/domain/__pycache__/x.pyc", "docker/engine.sh"]
)
def test_a_change_of_anything_else_does_not(checkout: Path, name: str) -> None:
    before = image.image_tag()
    (checkout / name).parent.mkdir(exist_ok=True)
    with (checkout / name).open("a") as file:
        file.write("# changed\n")
    assert image.image_tag() == before


def test_an_installed_package_without_its_context_says_so(checkout: Path) -> None:
    (checkout / "docker" / "Dockerfile").unlink()
    with pytest.raises(ImageMissingError, match="reinstall jupyter_ppo"):
        image.image_tag()


def test_an_installed_package_uses_the_context_inside_it(checkout: Path) -> None:
    tag = image.image_tag()
    (checkout / "docker").rename(checkout / "jupyter_ppo" / "sandbox" / "context")
    assert image.image_tag() == tag


def test_every_requirement_is_pinned() -> None:
    lines = (ROOT / "docker" / "requirements.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert pins
    assert all(line.count("==") == 1 for line in pins)


def test_a_failed_step_is_told_with_its_last_lines() -> None:
    told: list[str] = []
    lines = [{"stream": "Step 1/2 : FROM x"}, {"stream": "boom\n"}, {"error": "exit 1"}]
    with pytest.raises(ImageMissingError, match=r"exit 1[\s\S]*boom"):
        follow(lines, told.append)
    assert told == ["Step 1/2 : FROM x"]


@settings(deadline=None, max_examples=50)
@given(target=targets)
def test_wheels_for_the_same_python_need_no_options(target: PythonTarget) -> None:
    assert pip_target_options(target, target) == []


@settings(deadline=None, max_examples=50)
@given(target=targets, host=st.none() | targets)
def test_other_wheels_are_never_newer_than_the_images_library(
    target: PythonTarget, host: PythonTarget | None
) -> None:
    options = pip_target_options(target, host)
    platforms = [option for option in options if option.startswith("manylinux_")]
    if not options:
        assert host is not None
        assert (host.version, host.machine) == (target.version, target.machine)
        assert host.glibc <= target.glibc
    else:
        assert f"3.{target.version[1]}" in options
        assert platforms[0] == f"manylinux_2_{target.glibc[1]}_{target.machine}"
        assert platforms[-1] == f"manylinux_2_17_{target.machine}"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks: one wheel of one small package."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(
            "tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
        )
        wheel.writestr(
            "tiny-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PPO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder


@pytest.fixture
def here() -> PythonTarget:
    return host_target() or PythonTarget(sys.version_info[:2], "x86_64", (2, 36))


def test_wheels_are_fetched_once(index: Path, tmp_path: Path, here: PythonTarget) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("tiny==1.0\n")
    told: list[str] = []
    folder = ensure_wheels(requirements, here, told.append)
    assert [wheel.name for wheel in folder.iterdir()] == ["tiny-1.0-py3-none-any.whl"]
    assert ensure_wheels(requirements, here, told.append) == folder
    assert len(told) == 1


def test_a_wheel_that_is_not_to_be_had_leaves_nothing(
    index: Path, tmp_path: Path, here: PythonTarget
) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("nowhere==1.0\n")
    with pytest.raises(ImageMissingError, match="nowhere"):
        ensure_wheels(requirements, here, lambda _: None)
    assert list(cache_dir().iterdir()) == []


@pytest.mark.docker
def test_a_base_image_that_does_not_exist_is_named(engine: Engine) -> None:
    with pytest.raises(ImageMissingError, match="no-such-base") as caught:
        ensure_base_image(engine, "localhost:1/no-such-base:1", lambda _: None)
    assert caught.value.field == "base_image"


@pytest.mark.docker
@pytest.mark.image
def test_a_changed_package_needs_a_new_image_and_gets_it(
    engine: Engine, built: str, checkout: Path
) -> None:
    (checkout / "jupyter_ppo" / "widgets" / "added.py").write_text("WORD = 'inside'\n")
    with pytest.raises(ImageMissingError, match="jupyter ppo image build"):
        image.ensure_image(engine)
    with pytest.raises(ImageMissingError, match="jupyter ppo image build"):
        image.image_preload(engine)
    told: list[str] = []
    name = image.build_image(engine, report=told.append)
    try:
        assert name != built
        assert not any("wheels" in line for line in told)  # the libraries are kept
        assert image.ensure_image(engine) == name
        assert image.image_status(engine).size_bytes
        output = run(engine, name, "from jupyter_ppo.widgets.added import WORD; print(WORD)")
        assert output.strip() == "inside"
        told.clear()
        assert image.build_image(engine, report=told.append) == name
        assert told == [f"{name} is up to date"]
    finally:
        engine.api.remove_image(name, force=True)


@pytest.mark.docker
@pytest.mark.image
def test_the_image_says_what_to_import_in_advance(engine: Engine, built: str) -> None:
    assert image.image_preload(engine) == image.Preload(
        light=("numpy", "numpy.random"), heavy=("torch", "gymnasium", "stable_baselines3")
    )


@pytest.mark.docker
@pytest.mark.image
def test_the_image_has_a_students_kernel_and_nothing_of_the_server(
    engine: Engine, built: str
) -> None:
    program = (
        "import importlib.util as u, json, os, sys\n"
        "import anywidget, gymnasium, ipykernel, numpy, stable_baselines3, torch, jupyter_ppo\n"
        "server = ['docker', 'sqlalchemy', 'jupyter_server', 'nbgrader', 'pip']\n"
        "ours = ['extension', 'wiring', 'web', 'services', 'storage', 'sandbox', 'cli']\n"
        "print(json.dumps({'user': os.getuid(), 'python': sys.executable,\n"
        "  'found': [n for n in server if u.find_spec(n)]\n"
        "         + [n for n in ours if u.find_spec('jupyter_ppo.' + n)]}))\n"
    )
    answer = json.loads(run(engine, built, program).splitlines()[-1])
    assert answer == {"user": 10001, "python": "/opt/venv/bin/python", "found": []}
