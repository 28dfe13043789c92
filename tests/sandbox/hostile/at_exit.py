# verdict: ran
# program: timeout
# ruff: noqa
# never wants to end: exit handlers, finalizers and destructors that hang
import atexit
import time
import weakref


class Hang:
    def __del__(self):
        while True:
            time.sleep(1000)


keep = Hang()
keep.itself = keep
other = type("Other", (), {})()
weakref.finalize(other, time.sleep, 100_000)
atexit.register(time.sleep, 100_000)
