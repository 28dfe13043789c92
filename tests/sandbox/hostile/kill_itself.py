# verdict: kernel_died
# program: died
# ruff: noqa
# kills its own process
import os

os.kill(os.getpid(), 9)
