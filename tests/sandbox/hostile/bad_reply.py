# verdict: protocol_violation
# program: raised
# ruff: noqa
# answers the next cell with an invalid status
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]


async def forged(stream, ident, parent):
    kernel.session.send(stream, "execute_reply", {"status": ["ok"]}, parent=parent, ident=ident)


kernel.shell_handlers["execute_request"] = forged
