"""The documented configuration, with the ports, people and folders of a test."""

import json
import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub gives it
ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ["PPO_TEST_FOLDER"])
PORTS = json.loads(os.environ["PPO_TEST_PORTS"])

load_subconfig(str(ROOT / "docs" / "hub" / "jupyterhub_config.py"))  # noqa: F821 - see above

c.JupyterHub.bind_url = f"http://127.0.0.1:{PORTS['proxy']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORTS['hub']}"
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/hub.sqlite"
c.JupyterHub.cookie_secret_file = str(FOLDER / "hub_cookie_secret")
c.JupyterHub.cleanup_servers = True
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORTS['proxy_api']}"
c.ConfigurableHTTPProxy.command = [
    str(ROOT / "labextension/node_modules/.bin/configurable-http-proxy")
]
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "proxy.pid")
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["PPO_TEST_PASSWORD"]
c.Authenticator.allow_all = True
c.Authenticator.admin_users = {"root-of-hub"}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = str(FOLDER / "homes" / "{username}")
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = [
    "--allow-root",
    "--ServerApp.jpserver_extensions={'jupyter_ppo': True, 'jupyterlab': True}",
]
c.Spawner.http_timeout = c.Spawner.start_timeout = 120

# What the tests do as an admin of the hub does on its page: people, groups, tokens.
c.JupyterHub.services.append({"name": "test", "api_token": os.environ["PPO_TEST_TOKEN"]})
c.JupyterHub.load_roles.append(
    {
        "name": "test",
        "scopes": ["admin:users", "admin:groups", "admin:servers", "tokens", "list:users"],
        "services": ["test"],
    }
)
extra = json.loads(os.environ.get("PPO_TEST_SERVICE", "{}"))
service = c.JupyterHub.services[0]
service["command"] += extra.get("arguments", [])
service["environment"].update(extra.get("environment", {}))
