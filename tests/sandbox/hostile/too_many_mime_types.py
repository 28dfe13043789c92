# verdict: protocol_violation
# program: timeout
# ruff: noqa
# shows one thing in 20 000 ways
from IPython.display import display

display({f"a/{number}": "" for number in range(20_000)}, raw=True)
import time

time.sleep(60)
