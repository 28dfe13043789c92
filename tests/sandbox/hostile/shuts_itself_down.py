# verdict: kernel_died
# program: raised
# ruff: noqa
# asks itself to shut down, with its own key
from ipykernel.connect import get_connection_file
from jupyter_client import BlockingKernelClient

client = BlockingKernelClient()
client.load_connection_file(get_connection_file())
client.start_channels()
client.shutdown(reply=True, timeout=100)
import time

time.sleep(2)
