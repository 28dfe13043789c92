"""What people install: built here, put into an empty environment, asked by Jupyter itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_ppo.sandbox.image import image_tag

ROOT = Path(__file__).resolve().parents[2]
PACKAGE_JSON = json.loads((ROOT / "labextension" / "package.json").read_text())
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Built:
    """The two files that a release consists of."""

    sdist: Path
    wheel: Path


def _copy_of_checkout(target: Path) -> Path:
    """Copy what git has and the built front end: a build writes into its folder."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    for built in ("labextension", "widgets/static", "hub/static"):
        shutil.copytree(ROOT / "jupyter_ppo" / built, target / "jupyter_ppo" / built)
    return target


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist, and the wheel made from it as pip does."""
    bundle = ROOT / "jupyter_ppo" / "labextension" / "static" / "style.js"
    assert bundle.is_file(), "the front end is not built: run 'make setup'"
    target = tmp_path_factory.mktemp("dist")
    source = _copy_of_checkout(tmp_path_factory.mktemp("source"))
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, source],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(next(target.glob("*.tar.gz")), next(target.glob("*.whl")))


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it."""

    folder: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a command as a user with no settings of their own; return what it printed."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd or home,
            env={
                **kept,
                "HOME": str(home),
                "PATH": f"{self.programs}{os.pathsep}{os.defpath}",
                "JUPYTER_PREFER_ENV_PATH": "1",
                "JUPYTER_PLATFORM_DIRS": "1",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        output = ANSI.sub("", done.stdout + done.stderr)
        assert done.returncode == 0, output
        return output

    def python(self, program: str, *arguments: str) -> str:
        return self.run(self.programs / "python", "-c", program, *arguments)


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel in an empty environment; what it depends on is borrowed from the one we run in.

    The wheel goes in first: afterwards pip would see the editable install and leave it at that.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install"),
            *("--quiet", "--no-deps", "--no-index", "--disable-pip-version-check", built.wheel),
        ],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    packages = next(folder.glob("lib/python*/site-packages"))
    borrowed = sysconfig.get_path("purelib")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n")
    return Environment(folder)


def wheel_names(built: Built) -> set[str]:
    with zipfile.ZipFile(built.wheel) as wheel:
        return set(wheel.namelist())


def missing(names: set[str], wanted: list[str]) -> list[str]:
    """Return the wanted endings that no name has."""
    return [end for end in wanted if not any(name.endswith(end) for name in names)]


def test_the_wheel_holds_every_part(built: Built) -> None:
    names = wheel_names(built)
    share = ".data/data/share/jupyter"
    assert not missing(
        names,
        [
            ".data/data/etc/jupyter/jupyter_server_config.d/jupyter_ppo.json",
            f"{share}/labextensions/jupyter-ppo/package.json",
            f"{share}/labextensions/jupyter-ppo/install.json",
            f"{share}/labextensions/jupyter-ppo/static/style.js",
            f"{share}/kernels/ppo-sandbox/kernel.json",
            "jupyter_ppo/py.typed",
            "jupyter_ppo/hub/static/staff.css",
            "jupyter_ppo/hub/static/staff.js",
            "jupyter_ppo/widgets/static/live.css",
            "jupyter_ppo/widgets/static/live.js",
            "jupyter_ppo/_version.py",
            "jupyter_ppo/sandbox/context/Dockerfile",
            "jupyter_ppo/sandbox/context/Dockerfile.package",
            "jupyter_ppo/sandbox/context/requirements.txt",
            "jupyter_ppo/notebooks/ppo-in-one-sitting.ipynb",
            "jupyter_ppo/storage/migrations/env.py",
            "jupyter_ppo/storage/default_achievements/1.json",
            "jupyter_ppo/autograde/templates/feedback.html",
            "jupyter_ppo/web/openapi.json",
        ],
    )
    assert any("static/remoteEntry." in name for name in names)


def test_the_wheel_holds_every_module_of_the_checkout(built: Built) -> None:
    modules = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "jupyter_ppo").rglob("*.py")
        if "labextension" not in path.parts
    }
    assert modules - wheel_names(built) == set()


def test_nothing_ships_that_is_not_ours(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = set(sdist.getnames()) | wheel_names(built)
    litter = re.compile(
        r"(node_modules|\.yarn/|__pycache__|\.venv|\.build|\.artifacts|\.demo|\.sqlite|_cache/|\.ci/)"
    )
    assert [name for name in names if litter.search(name)] == []


def test_the_sdist_can_be_tested_and_built_without_node(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        names = set(sdist.getnames())
    assert not missing(
        names,
        [
            "/jupyter_ppo/labextension/static/style.js",
            "/jupyter_ppo/widgets/static/live.js",
            "/jupyter_ppo/hub/static/staff.js",
            "/labextension/src/index.ts",
            "/labextension/yarn.lock",
            "/docker/Dockerfile",
            "/docker/engine.sh",
            "/notebooks/ppo-in-one-sitting.ipynb",
            "/tests/packaging/test_distribution.py",
            "/LICENSE",
            "/README.md",
        ],
    )


def test_names_and_versions_agree(built: Built, installed: Environment) -> None:
    facts = json.loads(
        installed.python(
            "import importlib.metadata as m, json, jupyter_ppo\n"
            "print(json.dumps({'version': jupyter_ppo.__version__,"
            " 'metadata': m.version('jupyter_ppo'), 'file': jupyter_ppo.__file__,"
            " 'paths': jupyter_ppo._jupyter_labextension_paths()}))"
        )
    )
    assert Path(facts["file"]).is_relative_to(installed.folder)
    assert facts["version"] == facts["metadata"] == PACKAGE_JSON["version"]
    assert facts["paths"] == [{"src": "labextension", "dest": PACKAGE_JSON["name"]}]
    assert built.wheel.name.startswith(f"jupyter_ppo-{PACKAGE_JSON['version']}-py3-none-any")


def test_the_server_extension_is_enabled_and_loads(installed: Environment) -> None:
    output = installed.python(
        "from jupyter_server.extension.serverextension import main; main()", "list"
    )
    lines = [line.strip() for line in output.splitlines()]
    assert "jupyter_ppo enabled" in lines
    assert f"jupyter_ppo {PACKAGE_JSON['version']} OK" in lines


def test_jupyterlab_lists_the_extension_as_enabled(installed: Environment) -> None:
    output = installed.python("from jupyterlab.labextensions import main; main()", "list")
    [line] = [line for line in output.splitlines() if "jupyter-ppo" in line]
    assert f"v{PACKAGE_JSON['version']} enabled OK" in line


def test_the_sandbox_kernel_is_offered(installed: Environment) -> None:
    output = installed.python(
        "from jupyter_client.kernelspecapp import KernelSpecApp as A; A.launch_instance()",
        "list",
        "--json",
    )
    specs = json.loads(output[output.index("{") :])["kernelspecs"]
    spec = specs["ppo-sandbox"]
    assert Path(spec["resource_dir"]).is_relative_to(installed.folder)
    assert spec["spec"]["display_name"] == "Python 3 (PPO sandbox)"
    provisioner = spec["spec"]["metadata"]["kernel_provisioner"]["provisioner_name"]
    loaded = installed.python(
        "from importlib.metadata import entry_points; import sys\n"
        "[e] = {e.value: e for e in entry_points("
        "group='jupyter_client.kernel_provisioners', name=sys.argv[1])}.values()\n"
        "print(e.load().__name__)",
        provisioner,
    )
    assert loaded.strip() == "ContainerProvisioner"


def test_jupyter_ppo_is_a_command(installed: Environment) -> None:
    output = installed.run(installed.programs / "python", "-m", "jupyter", "ppo", "--help")
    for command in ("course", "release", "submit", "grade", "image"):
        assert command in output


def test_a_kernel_that_imports_the_package_loads_no_server(installed: Environment) -> None:
    output = installed.python(
        "import sys, jupyter_ppo\n"
        "heavy = {'jupyter_server', 'sqlalchemy', 'torch', 'docker', 'tornado', 'nbgrader'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert output.strip() == "[]"


def test_the_installed_package_wants_the_same_image_as_the_checkout(
    installed: Environment,
) -> None:
    output = installed.python("from jupyter_ppo.sandbox.image import image_tag; print(image_tag())")
    assert output.strip() == image_tag()
