# verdict: ran
# program: succeeded
# ruff: noqa
# writes into the agent's own stream
for target in ("/proc/1/fd/1", "/proc/1/fd/0", "/proc/1/mem", "/proc/1/environ"):
    try:
        open(target, "r+b")
    except PermissionError:
        continue
    raise AssertionError(target)
