# verdict: output_limit | memory
# program: timeout | output_limit
# ruff: noqa
# clears its output for ever, which shows in no byte count
from IPython.display import clear_output

while True:
    clear_output()
