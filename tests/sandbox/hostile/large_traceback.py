# verdict: output_limit | memory
# program: raised | output_limit
# ruff: noqa
# raises an error that takes megabytes to tell
def fall(depth):
    if depth == 0:
        raise ValueError("x" * 5_000_000)
    fall(depth - 1)


fall(200)
