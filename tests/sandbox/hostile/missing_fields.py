# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes a stream without text
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
parts = [
    session.pack(session.msg_header("stream")),
    session.pack(parent),
    b"{}",
    b"{}",
]
kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
import time

time.sleep(60)
