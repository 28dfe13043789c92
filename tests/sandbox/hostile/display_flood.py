# verdict: output_limit | memory
# program: output_limit
# ruff: noqa
# displays for ever
from IPython.display import display

while True:
    display({"text/html": "<b>x</b>" * 100}, raw=True)
