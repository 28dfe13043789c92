# verdict: protocol_violation
# program: raised
# ruff: noqa
# opens a widget whose state is nested 500 levels deep
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
parts = [
    session.pack(session.msg_header("comm_open")),
    session.pack(parent),
    b"{}",
    b'{"comm_id": "c", "target_name": "t", "data": ' + b'{"a":' * 500 + b"1" + b"}" * 501,
]
kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
import time

time.sleep(60)
