# verdict: protocol_violation
# ruff: noqa
# displays a number where text must be
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
parts = [
    session.pack(session.msg_header("display_data")),
    session.pack(parent),
    b"{}",
    b'{"data": {"text/plain": 7}, "metadata": {}}',
]
kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
import time

time.sleep(60)
