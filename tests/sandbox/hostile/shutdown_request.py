# verdict: kernel_died
# ruff: noqa
# sends itself a shutdown request
import time

from ipykernel.connect import get_connection_file
from jupyter_client import BlockingKernelClient

client = BlockingKernelClient()
client.load_connection_file(get_connection_file())
client.start_channels()
client.shutdown()
time.sleep(60)
