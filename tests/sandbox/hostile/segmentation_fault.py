# verdict: kernel_died
# ruff: noqa
# reads address zero
import ctypes

ctypes.string_at(0)
