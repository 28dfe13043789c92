# verdict: cell_timeout
# program: raised
# ruff: noqa
# queues endless cells before the next one
from ipykernel.connect import get_connection_file
from jupyter_client import BlockingKernelClient

client = BlockingKernelClient()
client.load_connection_file(get_connection_file())
client.start_channels()
for _ in range(100):
    client.execute("while True: pass")
