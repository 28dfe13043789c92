# verdict: cell_timeout
# program: timeout
# ruff: noqa
# stops its own process
import os
import signal

os.kill(os.getpid(), signal.SIGSTOP)
