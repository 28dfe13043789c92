# verdict: kernel_died
# program: died
# ruff: noqa
# reads address zero
import ctypes

ctypes.string_at(0)
