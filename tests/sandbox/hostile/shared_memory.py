# verdict: kernel_died
# program: died
# ruff: noqa
# touches more shared memory than there is
from multiprocessing import shared_memory

# The file is made with holes; what fails is a page that cannot be had.
block = shared_memory.SharedMemory(create=True, size=7 * 2**20)
block.buf[:] = bytes(7 * 2**20)
