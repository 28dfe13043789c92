# verdict: cell_timeout | memory
# program: timeout
# ruff: noqa
# forks for ever
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
