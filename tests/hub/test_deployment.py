"""The files that an admin copies keep our rules, and say the same as the tested configuration."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from traitlets.config import Config

from jupyter_ppo.cli.parser import build_parser
from jupyter_ppo.cli.secret_files import SECRETS
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.database import open_database
from jupyter_ppo.storage.row_security import is_bypassed
from jupyter_ppo.wiring import PPOService

if TYPE_CHECKING:
    from postgresql_server import PostgresqlServer

HUB = Path(__file__).parents[2] / "docs" / "hub"
COMPOSE = HUB / "compose"
ENGINE_OF = {"worker": "PPO_ENGINE_SOCKET", "hub": "PPO_STUDENTS_ENGINE_SOCKET"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def manifests(kind: str) -> dict[str, Any]:
    documents = yaml.safe_load_all((HUB / "kubernetes.yaml").read_text(encoding="utf-8"))
    return {each["metadata"]["name"]: each for each in documents if each["kind"] == kind}


def run_config(path: Path, config: Config) -> Config:
    """Run a config file as JupyterHub does."""

    def load_subconfig(other: str) -> None:
        run_config(Path(other), config)

    names = {"get_config": lambda: config, "load_subconfig": load_subconfig, "__file__": str(path)}
    exec(compile(path.read_text(encoding="utf-8"), path, "exec"), names)  # noqa: S102 - our own
    return config


COMPOSED = load(COMPOSE / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSED["services"]
STUDENTS = load(COMPOSE / "compose.students.yaml")["services"]
BASE = run_config(HUB / "jupyterhub_config.py", Config())
VALUES = load(HUB / "helm-values.yaml")
PODS = {name: each["spec"]["template"]["spec"] for name, each in manifests("Deployment").items()}


@pytest.fixture
def composed_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    for name in COMPOSED["secrets"]:
        (tmp_path / name).write_text("ab" * 32 + "\n")
    monkeypatch.setenv("PPO_SECRETS", str(tmp_path))
    for name, value in SERVICES["hub"]["environment"].items():
        monkeypatch.setenv(name, value)
    return run_config(COMPOSE / "jupyterhub_config.py", Config())


# -- compose.yaml --------------------------------------------------------------------------------


def test_the_services_are_those_that_the_page_names() -> None:
    assert set(SERVICES) == {"proxy", "hub", "service", "worker", "database"}


@pytest.mark.parametrize("name", SERVICES)
def test_each_container_has_few_rights_and_limits(name: str) -> None:
    service = SERVICES[name]
    user, _, group = service["user"].partition(":")
    assert int(user) > 0 < int(group)
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit", "cpus"} <= set(service)
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "network_mode"} & set(service)


@pytest.mark.parametrize("name", SERVICES)
def test_each_image_has_a_version(name: str) -> None:
    version = re.fullmatch(r"[a-z-]+:\$\{([A-Z_]+)\}", SERVICES[name]["image"])
    assert version is not None
    example = example_settings()[version[1]]
    assert re.match(r"\d+\.\d+", example)


def example_settings() -> dict[str, str]:
    lines = (COMPOSE / ".env.example").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_variable_is_in_the_example_and_none_is_for_nothing() -> None:
    texts = [path.read_text(encoding="utf-8") for path in COMPOSE.glob("compose*.yaml")]
    used = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)\}", "".join(texts)))
    assert set(example_settings()) - used == {"COMPOSE_FILE", "COMPOSE_PROJECT_NAME"}
    assert used <= set(example_settings())


def mounts(service: Mapping[str, Any]) -> list[str]:
    return [str(each) for each in service.get("volumes", [])]


def test_only_the_worker_has_the_socket_of_an_engine_and_the_hub_if_it_starts_servers_here() -> (
    None
):
    text = r"sock|/docker(?!-entrypoint)|podman|engine"
    holders = {name for name in SERVICES if re.search(text, " ".join(mounts(SERVICES[name])), re.I)}
    assert holders == {"worker"}
    assert set(STUDENTS) == {"hub"}
    for name, service in (("worker", SERVICES["worker"]), ("hub", STUDENTS["hub"])):
        (socket,) = [each for each in mounts(service) if each.endswith(":/run/engine.sock")]
        assert socket.startswith(f"${{{ENGINE_OF[name]}}}")
    # Two engines: who breaks out of one is not at the other.
    example = example_settings()
    assert example[ENGINE_OF["worker"]] != example[ENGINE_OF["hub"]]


def test_no_secret_is_in_the_environment_or_on_a_command_line() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert not re.search("password|token|secret|key", name, re.I) or name.endswith("_FILE")
            assert not re.search(r"://[^/@]*:[^/@]*@", str(value)), name
            if name.endswith("_FILE") and name != "POSTGRES_PASSWORD_FILE":
                assert name.removesuffix("_FILE") in SECRETS
            if name.endswith("_FILE"):
                assert Path(value).name in service["secrets"]
        assert not re.search(r"(password|token|secret)\s*[=:]\s*\w", str(service.get("command")))
    for name, secret in COMPOSED["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}


@pytest.mark.postgresql
def test_the_database_is_made_for_a_role_that_row_level_security_holds_for(
    postgresql_server: PostgresqlServer, tmp_path: Path
) -> None:
    secret = tmp_path / "db_password"
    secret.write_text("it's a \\password\n")
    script = (COMPOSE / "make_database.sh").read_text(encoding="utf-8")
    assert "/run/secrets/db_password" in script
    here = re.sub(r"\bppo\b", "composed", script.replace("/run/secrets/db_password", str(secret)))
    environment = {
        **os.environ,
        "PGHOST": str(postgresql_server.folder),
        "POSTGRES_USER": SERVICES["database"]["environment"]["POSTGRES_USER"],
    }
    subprocess.run(["sh", "-c", here], env=environment, check=True, capture_output=True)
    with closing(open_database(postgresql_server.url("composed", "composed"))) as database:
        assert not is_bypassed(database.engine)
        Courses(database).create_course("rl", "RL")


def test_the_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    script = tmp_path / "make_secrets.sh"
    script.write_bytes((COMPOSE / "make_secrets.sh").read_bytes())

    def made() -> dict[str, str]:
        subprocess.run(["bash", script], check=True, capture_output=True)
        return {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}

    first = made()
    assert set(first) == set(COMPOSED["secrets"])
    assert len({len(text) for text in first.values()}) == 1
    assert len(set(first.values())) == len(first)
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert made() == first


def members(network: str) -> set[str]:
    return {name for name, each in SERVICES.items() if network in each["networks"]}


def test_who_reaches_whom() -> None:
    assert {name for name, each in SERVICES.items() if each.get("ports")} == {"proxy"}
    assert members("data") == {"database", "service", "worker"}
    assert members("students") == {"proxy", "hub"}
    assert members("inner") == {"proxy", "hub", "service"}
    inside = {name for name, each in COMPOSED["networks"].items() if each and each.get("internal")}
    assert inside == {"inner", "data", "students"}
    assert set(SERVICES["database"]["networks"]) <= inside
    # The proxy's own API is where students' servers are not.
    assert SERVICES["proxy"]["networks"]["inner"]["aliases"] == ["proxy-api"]
    assert "--api-ip=proxy-api" in SERVICES["proxy"]["command"][-1]


def test_the_hub_of_compose_is_the_tested_one_with_other_addresses(composed_hub: Config) -> None:
    for name in ("custom_scopes", "load_roles"):
        assert composed_hub.JupyterHub[name] == BASE.JupyterHub[name]
    assert composed_hub.Spawner.server_token_scopes == BASE.Spawner.server_token_scopes
    (before,), (service,) = BASE.JupyterHub.services, composed_hub.JupyterHub.services
    kept = {name: before[name] for name in before if name not in {"url", "command", "environment"}}
    assert service == {**kept, "url": "http://service:10101", "api_token": "ab" * 32}
    assert composed_hub.DockerSpawner.network_name == COMPOSED["networks"]["students"]["name"]
    address = composed_hub.Spawner.environment["JUPYTER_PPO_SERVICE_URL"]
    assert address == "http://proxy:8000/services/ppo/"


def test_a_students_container_has_few_rights_and_a_volume_of_its_own(composed_hub: Config) -> None:
    spawner = composed_hub.DockerSpawner
    host = spawner.extra_host_config
    assert (host["cap_drop"], host["read_only"], host["pids_limit"]) == (["ALL"], True, 256)
    assert host["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpu_limit"} <= set(spawner)
    assert list(spawner.volumes) == ["ppo-home-{username}"]


# -- commands and settings -----------------------------------------------------------------------


def commands() -> Iterator[list[str]]:
    yield SERVICES["service"]["command"]
    yield SERVICES["worker"]["command"]
    for pod in PODS.values():
        yield pod["containers"][0]["args"]


@pytest.mark.parametrize("command", list(commands()), ids=lambda words: words[1])
def test_every_command_and_setting_is_one_that_there_is(command: list[str]) -> None:
    program, *words = command
    assert program == "jupyter-ppo"
    _, settings = build_parser().parse_known_args(words)
    known = PPOService.class_trait_names(config=True)
    for setting in settings:
        name = setting.removeprefix("--PPOService.").partition("=")[0]
        assert setting.startswith("--PPOService."), setting
        assert name in known


def test_a_service_does_no_work_and_a_worker_gets_the_time_to_hand_over() -> None:
    for words in commands():
        if words[1] == "service":
            assert "--PPOService.grading_workers=0" in words
            assert "--PPOService.training_workers=0" in words
    assert SERVICES["worker"]["stop_grace_period"] == "90s"
    assert SERVICES["database"]["stop_signal"] == "SIGINT"
    assert PODS["ppo-worker"]["terminationGracePeriodSeconds"] == 90


# -- Kubernetes ----------------------------------------------------------------------------------


def test_the_values_name_the_roles_scopes_and_service_of_the_tested_configuration() -> None:
    hub = VALUES["hub"]
    assert hub["config"]["JupyterHub"]["custom_scopes"] == BASE.JupyterHub.custom_scopes
    roles = [{"name": name, **role} for name, role in hub["loadRoles"].items()]
    assert roles == BASE.JupyterHub.load_roles
    scopes = hub["config"]["Spawner"]["server_token_scopes"]
    assert scopes == BASE.Spawner.server_token_scopes
    (ours,) = BASE.JupyterHub.services
    for name in ("oauth_no_confirm", "oauth_client_allowed_scopes"):
        assert hub["services"][ours["name"]][name] == ours[name]
    assert set(VALUES["singleuser"]["extraEnv"]) == set(BASE.Spawner.environment)


def test_values_and_manifests_name_the_same_service() -> None:
    (name, service), *others = manifests("Service").items()
    port = service["spec"]["ports"][0]["port"]
    assert not others
    assert VALUES["hub"]["services"]["ppo"]["url"] == f"http://{name}:{port}"
    pod = PODS["ppo-service"]
    environment = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    assert environment["JUPYTERHUB_SERVICE_URL"].endswith(f":{port}")
    assert pod["containers"][0]["ports"] == [{"name": "http", "containerPort": port}]
    tokens = [each for each in pod["volumes"] if each["name"] == "hub"]
    assert tokens[0]["secret"]["items"][0]["key"] == "hub.services.ppo.apiToken"


@pytest.mark.parametrize("name", PODS)
def test_each_pod_has_few_rights_limits_and_a_probe(name: str) -> None:
    pod = PODS[name]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] is True
    assert rights["allowPrivilegeEscalation"] is False
    assert rights["capabilities"] == {"drop": ["ALL"]}
    assert set(container["resources"]["limits"]) == {"cpu", "memory"}
    assert "readinessProbe" in container
    assert not [each for each in pod["volumes"] if "hostPath" in each]
    for each in container["env"]:
        assert not re.search("PASSWORD|TOKEN|SECRET", each["name"]) or each["name"].endswith(
            "_FILE"
        )
        assert not re.search(r"://[^/@]*:[^/@]*@", each["value"])
        if each["name"].endswith("_FILE"):
            assert each["name"].removesuffix("_FILE") in SECRETS


def test_only_the_proxy_reaches_the_service_and_nobody_a_worker() -> None:
    policies = manifests("NetworkPolicy")
    (rule,) = policies["ppo-service"]["spec"]["ingress"]
    proxy = {"matchLabels": {"app": "jupyterhub", "component": "proxy"}}
    assert rule["from"] == [{"podSelector": proxy}]
    assert "ingress" not in policies["ppo-worker"]["spec"]
    for name, policy in policies.items():
        chosen = policy["spec"]["podSelector"]["matchLabels"]
        labels = manifests("Deployment")[name]["spec"]["template"]["metadata"]["labels"]
        assert chosen.items() <= labels.items()
        assert policy["spec"]["policyTypes"] == ["Ingress"]
    assert VALUES["singleuser"]["networkPolicy"]["egressAllowRules"]["privateIPs"] is False


def test_no_file_names_a_registry_or_a_real_machine() -> None:
    for path in [*COMPOSE.iterdir(), HUB / "kubernetes.yaml", HUB / "helm-values.yaml"]:
        if path.is_file():
            hosts = re.findall(r"https?://([\w.-]+)", path.read_text(encoding="utf-8"))
            assert not [host for host in hosts if "." in host and not host[0].isdigit()], path


def test_the_scripts_are_executable_and_are_bash() -> None:
    for path in (COMPOSE / "make_secrets.sh", HUB.parents[1] / "docker" / "service_images.sh"):
        assert os.access(path, os.X_OK)
        subprocess.run(["bash", "-n", path], check=True)
