# verdict: output_limit | memory
# program: raised
# ruff: noqa
# changes one display for ever, which adds no output
from IPython.display import display

handle = display("a", display_id="q")
while True:
    handle.update("b" * 1000)
