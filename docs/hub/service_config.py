"""Settings of the course service at a hub: what `jupyter ppo service --config` reads."""

import os

c = get_config()  # noqa: F821 - Jupyter gives it

# Usernames that run the service: they make and delete courses and see all of them.
c.PPOService.admins = os.environ.get("PPO_ADMINS", "").split()

# Where everything is kept that is not in PostgreSQL. The hub says it on the command line.
if os.environ.get("PPO_DATA"):
    c.PPOService.data_dir = os.environ["PPO_DATA"]

# Several processes need PostgreSQL: postgresql+psycopg://ppo:password@host/ppo. The address holds
# a password, so it is in the environment and not on a command line.
if os.environ.get("JUPYTER_PPO_DB_URL"):
    c.PPOService.db_url = os.environ["JUPYTER_PPO_DB_URL"]

# Seconds for which an answer of the hub is believed when somebody only reads.
c.HubIdentityProvider.recheck_seconds = 60
