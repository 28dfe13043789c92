# verdict: ran
# program: raised
# ruff: noqa
# says that the cell is over before it raises
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent={"header": parent})
import time

time.sleep(0.5)
raise ValueError("never shown")
