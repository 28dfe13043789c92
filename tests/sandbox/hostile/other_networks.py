# verdict: ran
# program: succeeded
# ruff: noqa
# makes itself an interface and a route
import errno
import os
import socket
import struct

assert os.listdir("/sys/class/net") == ["lo"]
for kind, flags, body in (
    (16, 0x605, struct.pack("=BxHiII", 0, 0, 0, 1, 1) + b"\x08\x00\x03\x00new\x00"),  # a link
    (24, 0x605, struct.pack("=BBBBBBBBI", 2, 0, 0, 0, 254, 3, 0, 1, 0)),  # a route
):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as control:
        control.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        answer = control.recv(65536)
    assert struct.unpack_from("=i", answer, 16)[0] == -errno.EPERM
for target in ("127.0.0.1", "::1"):
    try:
        socket.create_connection((target, 22), timeout=5)
    except OSError as error:
        assert error.errno in {errno.ECONNREFUSED, errno.EADDRNOTAVAIL}, error
    else:
        raise AssertionError(target)
