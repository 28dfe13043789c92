# verdict: cell_timeout
# program: timeout
# ruff: noqa
# never gives up the interpreter lock
sum(range(10**13))
