# verdict: ran
# program: succeeded
# ruff: noqa
# signals process 1 and everybody else
import os
import signal

for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP, signal.SIGINT):
    os.kill(1, number)
try:
    os.kill(-1, signal.SIGKILL)
except ProcessLookupError:
    pass
