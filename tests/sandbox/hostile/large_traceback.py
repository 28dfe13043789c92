# verdict: output_limit | memory
# ruff: noqa
# raises an error with a text of 10 MB
raise ValueError("x" * 10_000_000)
