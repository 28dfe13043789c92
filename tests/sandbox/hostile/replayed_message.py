# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes the same signed message again
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]

parts = [
    session.pack(session.msg_header("stream")),
    session.pack(parent),
    b"{}",
    b'{"name": "stdout", "text": "again"}',
]
for _ in range(3):
    kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
import time

time.sleep(60)
