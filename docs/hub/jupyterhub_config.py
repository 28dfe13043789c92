"""JupyterHub with the course service of jupyter_ppo: copy what you need into your own file.

A person's place in a course is a group of the hub: course-<name>:student, :grader or :instructor.
Make groups in the hub's admin page or with its API at any time; nothing has to be restarted.
"""

import os
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub gives it

SERVICE_PORT = int(os.environ.get("PPO_SERVICE_PORT", "10101"))
#: Everything of the service is below this folder. Back it up.
DATA = os.environ.get("PPO_DATA", "/srv/jupyter_ppo")
#: Its other settings, which it reads when it starts.
CONFIG = os.environ.get("PPO_SERVICE_CONFIG", str(Path(__file__).with_name("service_config.py")))

#: What the service gets of the hub's environment.
PASSED_ON = ("HOME", "PATH", "PPO_ADMINS", "JUPYTER_PPO_COOKIE_SECRET", "JUPYTER_PPO_DB_URL")

# -- what a token may do -------------------------------------------------------------------------
# A group says who somebody is in a course; a scope says what the token that asks may use of it.
# Everybody holds the scopes, and only a sign-in at the service carries them. So a new course needs
# no new role, and what runs in an instructor's own server acts there as a student would.
STAFF_SCOPES = {
    "custom:ppo:grader": {"description": "Grade in PPO courses in which you are a grader"},
    "custom:ppo:instructor": {"description": "Teach PPO courses in which you are an instructor"},
    "custom:ppo:admin": {"description": "Run the PPO course service, if you are one of its admins"},
}
ACCESS = "access:services!service=ppo"
c.JupyterHub.custom_scopes = STAFF_SCOPES
c.JupyterHub.load_roles = [
    {"name": "user", "scopes": ["self", ACCESS, *STAFF_SCOPES]},
    # For API tokens of the service: whether their owners are still in their groups.
    {
        "name": "ppo-service",
        "scopes": ["read:users:name", "read:users:groups"],
        "services": ["ppo"],
    },
]

# -- the service ---------------------------------------------------------------------------------
c.JupyterHub.services = [
    {
        "name": "ppo",
        "url": f"http://127.0.0.1:{SERVICE_PORT}",
        "command": [
            sys.executable,
            "-m",
            "jupyter_ppo.cli",
            "service",
            f"--PPOService.data_dir={DATA}",
            f"--config={CONFIG}",
        ],
        # The hub shows no page that asks for consent: the service is the institution's own.
        "oauth_no_confirm": True,
        "oauth_client_allowed_scopes": [*STAFF_SCOPES],
        "environment": {name: os.environ[name] for name in PASSED_ON if name in os.environ},
    },
]

# -- the students' servers -----------------------------------------------------------------------
# The first two are JupyterHub's defaults, which this setting replaces.
c.Spawner.server_token_scopes = [
    "users:activity!user",
    "access:servers!server",
    ACCESS,
]
# Where they forward to, through the proxy as a browser would.
c.Spawner.environment = {
    "JUPYTER_PPO_SERVICE_URL": os.environ.get(
        "PPO_SERVICE_URL", "http://127.0.0.1:8000/services/ppo/"
    ),
}
