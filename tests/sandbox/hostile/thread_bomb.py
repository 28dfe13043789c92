# verdict: ran
# program: succeeded
# ruff: noqa
# starts threads until it cannot
import threading

stop = threading.Event()
started = []
try:
    while True:
        thread = threading.Thread(target=stop.wait)
        thread.start()
        started.append(thread)
except RuntimeError:
    stop.set()
assert len(started) < 64
