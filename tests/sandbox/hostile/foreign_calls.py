# verdict: kernel_died
# program: died
# ruff: noqa
# calls the kernel as a 32-bit program would
import ctypes
import mmap
import os
import platform

if platform.machine() != "x86_64":
    os.abort()
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20 (getpid); int 0x80; ret
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
ctypes.CFUNCTYPE(ctypes.c_int)(address)()
os._exit(0)
