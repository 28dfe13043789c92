# verdict: cell_timeout
# ruff: noqa
# forks for ever
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
