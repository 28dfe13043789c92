"""The hub of compose.yaml: ../jupyterhub_config.py, with containers in the place of processes."""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub gives it

HERE = Path(__file__).resolve().parent
SECRETS = Path(os.environ.get("PPO_SECRETS", "/run/secrets"))


def secret(name: str) -> str:
    """Return a secret that compose.yaml gives to this container."""
    return (SECRETS / name).read_text(encoding="utf-8").strip()


load_subconfig(str(HERE.parent / "jupyterhub_config.py"))  # noqa: F821 - see above

# -- the hub itself ------------------------------------------------------------------------------
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"
c.JupyterHub.hub_connect_url = "http://hub:8081"
c.JupyterHub.db_url = "sqlite:////srv/jupyterhub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret = bytes.fromhex(secret("hub_cookie_secret"))
# Students' servers, and the proxy, live on while the hub is restarted.
c.JupyterHub.cleanup_servers = False
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = "http://proxy-api:8001"
c.ConfigurableHTTPProxy.auth_token = secret("proxy_token")

# -- who signs in --------------------------------------------------------------------------------
c.JupyterHub.authenticator_class = os.environ["AUTHENTICATOR"]
c.Authenticator.admin_users = set(os.environ.get("PPO_HUB_ADMINS", "").split())
load_subconfig(str(HERE / "authenticator.py"))  # noqa: F821 - see above

# -- the course service: the container "service" ---------------------------------------------------
for service in c.JupyterHub.services:
    if service["name"] == "ppo":
        service.pop("command")
        service.pop("environment")
        service["url"] = "http://service:10101"
        service["api_token"] = secret("service_token")

# -- the students' own servers: a container and a volume for each person -------------------------
c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = os.environ["PPO_STUDENT_IMAGE"]
c.DockerSpawner.network_name = os.environ.get("PPO_STUDENTS_NETWORK", "ppo_students")
c.DockerSpawner.use_internal_ip = True
c.DockerSpawner.remove = True
c.DockerSpawner.volumes = {"ppo-home-{username}": "/home/student"}
c.DockerSpawner.notebook_dir = "/home/student"
c.DockerSpawner.mem_limit = "2G"
c.DockerSpawner.cpu_limit = 1.0
c.DockerSpawner.extra_host_config = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges:true"],
    "read_only": True,
    "tmpfs": {"/tmp": "size=256m,mode=1777"},  # noqa: S108 - in the container
    "pids_limit": 256,
    "init": True,
}
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
