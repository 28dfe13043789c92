# verdict: ran
# program: raised
# ruff: noqa
# rewrites, links and locks its own connection file
import json
import os

from ipykernel.connect import get_connection_file

path = get_connection_file()
info = json.load(open(path))
json.dump(info | {"ip": "169.254.169.254", "transport": "tcp", "key": ""}, open(path, "w"))
os.chmod(path, 0o777)
os.chmod(os.path.dirname(path), 0o777)
os.unlink(path)
os.symlink("/etc/passwd", path)
os.rename(os.path.dirname(path), "/tmp/elsewhere")
os.symlink("/proc/1/root", os.path.dirname(path))
