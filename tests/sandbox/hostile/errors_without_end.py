# verdict: kernel_died
# program: died
# ruff: noqa
# crashes with last words of a length that it made up
import os
import resource

try:
    os.ftruncate(2, resource.getrlimit(resource.RLIMIT_FSIZE)[0])
except OSError:
    pass  # a pipe, or a full folder
os.abort()
