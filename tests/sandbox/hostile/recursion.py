# verdict: memory | kernel_died
# program: memory | died
# ruff: noqa
# calls itself without a limit
import sys

sys.setrecursionlimit(10**9)


def fall():
    fall()


fall()
