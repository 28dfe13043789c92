# verdict: output_limit | memory
# program: raised
# ruff: noqa
# answers the next cell for ever
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]


async def forged(stream, ident, parent):
    while True:
        content = {"status": "ok", "filler": "x" * 100_000}
        kernel.session.send(stream, "execute_reply", content, parent={"msg_id": "0"}, ident=ident)


kernel.shell_handlers["execute_request"] = forged
