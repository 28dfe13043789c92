"""How people sign in; the class is AUTHENTICATOR in .env. Replace this by your institution's way.

Usernames are all that the course service learns of people: whoever gets a name gets the work under
it. So take an authenticator whose names are given once, and put people into groups
course-<name>:student, :grader and :instructor (docs/jupyterhub.md).
"""

import os
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub gives it

# For a first look, with AUTHENTICATOR=shared-password: one password for everybody, another one for
# the admins of the hub. Nobody who is not trying it out with you may know them.
SECRETS = Path(os.environ.get("PPO_SECRETS", "/run/secrets"))
if (SECRETS / "first_password").exists():
    shared = c.SharedPasswordAuthenticator
    shared.user_password = (SECRETS / "first_password").read_text(encoding="utf-8").strip()
    shared.admin_password = (SECRETS / "first_admin_password").read_text(encoding="utf-8").strip()
    shared.allow_all = True
