# verdict: memory | output_limit
# ruff: noqa
# prints 100 MiB at once
print("A" * (100 << 20))
