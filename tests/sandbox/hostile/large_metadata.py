# verdict: output_limit
# program: succeeded
# ruff: noqa
# shows little text with much metadata
from IPython.display import display

display("x", metadata={f"key-{number}": "v" * 1000 for number in range(3000)})
