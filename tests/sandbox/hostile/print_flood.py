# verdict: output_limit | memory
# program: output_limit
# ruff: noqa
# prints for ever
while True:
    print("x" * 1000)
