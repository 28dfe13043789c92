# verdict: kernel_died
# program: died
# ruff: noqa
# aborts
import os

os.abort()
