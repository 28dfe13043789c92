# verdict: memory | output_limit
# program: output_limit | memory
# ruff: noqa
# prints 100 MiB at once
print("A" * (100 << 20))
