# verdict: protocol_violation
# program: raised
# ruff: noqa
# publishes a number of 100 000 digits
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
parts = [
    session.pack(session.msg_header("execute_result")),
    session.pack(parent),
    b"{}",
    b'{"data": {}, "metadata": {}, "execution_count": ' + b"9" * 100_000 + b"}",
]
kernel.iopub_thread.socket.send_multipart([b"x", b"<IDS|MSG>", session.sign(parts), *parts])
import time

time.sleep(60)
