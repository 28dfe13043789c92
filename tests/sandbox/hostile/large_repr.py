# verdict: output_limit | memory
# program: succeeded
# ruff: noqa
# has a representation of 50 MB
class Large:
    def __repr__(self):
        return "r" * 50_000_000


Large()
