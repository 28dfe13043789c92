# verdict: cell_timeout
# program: timeout
# ruff: noqa
# ignores every signal it can
import signal

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
while True:
    pass
