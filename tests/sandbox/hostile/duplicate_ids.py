# verdict: ran
# program: raised
# ruff: noqa
# uses the same ids for different things
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]

header = session.msg_header("display_data")
for number in range(20):
    content = {
        "data": {"text/plain": str(number)},
        "metadata": {},
        "transient": {"display_id": "same"},
    }
    session.send(
        kernel.iopub_socket,
        session.msg("display_data", content, parent={"header": parent}, header=header),
    )
    session.send(kernel.iopub_socket, "update_display_data", content, parent={"header": parent})
