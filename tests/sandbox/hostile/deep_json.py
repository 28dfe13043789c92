# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes JSON that is nested 100 000 levels deep
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
parts = [
    session.pack(session.msg_header("display_data")),
    session.pack(parent),
    b"{}",
    b"[" * 100_000 + b"]" * 100_000,
]
kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
import time

time.sleep(60)
