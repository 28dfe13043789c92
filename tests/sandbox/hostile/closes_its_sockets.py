# verdict: cell_timeout | kernel_died | ran
# program: succeeded
# ruff: noqa
# closes every socket that it is reached through
import gc

import zmq

for thing in gc.get_objects():
    if isinstance(thing, zmq.Socket):
        thing.close(linger=0)
