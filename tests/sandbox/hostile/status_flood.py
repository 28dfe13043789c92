# verdict: output_limit | memory
# program: raised
# ruff: noqa
# sends status messages for ever, which are no outputs
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]

while True:
    session.send(
        kernel.iopub_socket, "status", {"execution_state": "busy"}, parent={"msg_id": "other"}
    )
