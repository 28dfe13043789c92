# verdict: ran
# program: succeeded
# ruff: noqa
# leaves processes behind that hear no signal
import os
import signal

for _ in range(15):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 65):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            while True:
                signal.pause()
        os._exit(0)
