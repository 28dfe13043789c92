# verdict: ran
# program: succeeded
# ruff: noqa
# looks for what the server left: variables, keys, paths, credentials
import os

words = ("TOKEN", "SECRET", "PASSWORD", "DOCKER", "JUPYTERHUB", "AWS_", "API_KEY", "SSH_", "PROXY")
for name in os.environ:
    assert not any(word in name.upper() for word in words), name
command = open("/proc/1/cmdline", "rb").read()
for folder in ("/tmp/.kernel", "/home/student"):
    path = os.path.join(folder, "connection.json")
    if os.path.exists(path):
        import json

        assert json.load(open(path))["key"].encode() not in command
for folder in ("/home", "/root", "/mnt", "/media", "/srv", "/run/secrets", "/var/run/secrets"):
    try:
        found = os.listdir(folder)
    except OSError:
        continue
    assert set(found) <= {"student"}, (folder, found)
hidden = {".git", ".ssh", ".docker", "gradebook.db", ".netrc", ".pypirc", "pip.conf", ".jupyter"}
for folder, folders, files in os.walk("/", onerror=lambda error: None):
    if folder == "/":
        folders[:] = [name for name in folders if name not in {"proc", "sys", "dev", "usr"}]
    if "site-packages" in folder:
        folders.clear()
    assert not hidden & {*folders, *files}, folder
