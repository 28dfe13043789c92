# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes NaN, which is not JSON
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
parts = [
    session.pack(session.msg_header("stream")),
    session.pack(parent),
    b"{}",
    b'{"name": "stdout", "text": NaN}',
]
kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
import time

time.sleep(60)
