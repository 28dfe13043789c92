# verdict: kernel_died
# program: died
# ruff: noqa
# ends its process as if all were well
import os

os._exit(0)
