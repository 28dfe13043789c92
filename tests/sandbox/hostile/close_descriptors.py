# verdict: kernel_died | cell_timeout
# program: died
# ruff: noqa
# closes every file it has
import os

os.closerange(3, 4096)
