# verdict: output_limit | memory
# program: output_limit
# ruff: noqa
# writes to standard error for ever
import sys

while True:
    sys.stderr.write("e" * 1000 + "\n")
