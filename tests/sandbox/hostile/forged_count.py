# verdict: ran
# program: raised
# ruff: noqa
# says that it was executed a million times
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]

for count in (10**6, 0, 2**62):
    content = {"data": {"text/plain": "5"}, "metadata": {}, "execution_count": count}
    session.send(kernel.iopub_socket, "execute_result", content, parent={"header": parent})
kernel.shell.execution_count = 10**9
