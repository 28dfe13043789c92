# verdict: cell_timeout | kernel_died
# program: raised
# ruff: noqa
# stops the event loop that serves it
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]

import asyncio

kernel.io_loop.add_callback(kernel.io_loop.stop)
for thread in (kernel.iopub_thread, kernel.control_thread):
    thread.io_loop.add_callback(thread.io_loop.stop)
asyncio.get_running_loop().stop()
