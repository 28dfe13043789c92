# verdict: memory
# program: memory
# ruff: noqa
# allocates for ever
hoard = []
while True:
    hoard.append(bytearray(10**7))
