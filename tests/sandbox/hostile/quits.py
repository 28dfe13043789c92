# verdict: ran | kernel_died
# program: raised
# ruff: noqa
# leaves through the front door
get_ipython().ask_exit()
