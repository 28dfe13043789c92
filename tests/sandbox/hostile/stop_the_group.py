# verdict: cell_timeout
# program: timeout
# ruff: noqa
# stops all processes of its group
import os
import signal

os.kill(0, signal.SIGSTOP)
