# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes the server's own mark for the end of a kernel
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
kernel.iopub_thread.socket.send_multipart([b"jupyter-ppo: the kernel has ended"])
import time

time.sleep(60)
