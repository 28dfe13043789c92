# verdict: ran
# ruff: noqa
# displays 300 mime types
from IPython.display import display

display({f"application/x-{number}": "v" * 100 for number in range(300)}, raw=True)
