# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes a message with a wrong signature
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
kernel.iopub_thread.socket.send_multipart(
    [b"x", b"<IDS|MSG>", b"0" * 64, b"{}", b"{}", b"{}", b"{}"]
)
import time

time.sleep(60)
