# verdict: cell_timeout
# program: raised
# ruff: noqa
# waits for someone to type
from ipykernel.kernelapp import IPKernelApp

kernel = IPKernelApp.instance().kernel
session = kernel.session
parent = kernel.get_parent()["header"]
kernel._allow_stdin = True
input("password? ")
