# verdict: cell_timeout
# program: raised
# ruff: noqa
# never returns from a signal handler, in the middle of a later cell
import signal
import time

signal.signal(signal.SIGALRM, lambda *_: time.sleep(100_000))
get_ipython().events.register("pre_run_cell", lambda *_: signal.raise_signal(signal.SIGALRM))
