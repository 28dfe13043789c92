# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes something that is no message
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
kernel.iopub_thread.socket.send_multipart([b"garbage"])
import time

time.sleep(60)
