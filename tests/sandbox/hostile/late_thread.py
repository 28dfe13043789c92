# verdict: ran | output_limit | memory
# program: succeeded | output_limit
# ruff: noqa
# prints for ever, in a thread that outlives its cell
import threading


def flood():
    while True:
        print("x" * 1000)


threading.Thread(target=flood, daemon=True).start()
