# verdict: ran
# program: succeeded
# ruff: noqa
# shows one thing in 2000 ways
from IPython.display import display

display({f"application/x-{number}": "v" * 100 for number in range(2000)}, raw=True)
