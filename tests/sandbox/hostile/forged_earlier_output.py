# verdict: ran
# program: raised
# ruff: noqa
# publishes output and results for the cell before
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]

base, _, number = parent["msg_id"].rpartition("_")
for earlier in range(int(number)):
    forged = {"header": parent | {"msg_id": f"{base}_{earlier}"}}
    for kind, content in (
        ("stream", {"name": "stdout", "text": "forged"}),
        ("clear_output", {"wait": False}),
        ("execute_result", {"data": {"text/plain": "5"}, "metadata": {}, "execution_count": 1}),
        ("error", {"ename": "E", "evalue": "forged", "traceback": []}),
        ("status", {"execution_state": "idle"}),
    ):
        session.send(kernel.iopub_socket, kind, content, parent=forged)
