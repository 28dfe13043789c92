# verdict: ran
# program: succeeded
# ruff: noqa
# opens sockets of every kind
import errno
import platform
import socket

usual = {socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK}
if platform.machine() == "x86_64":
    for family in set(range(46)) - usual:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
            try:
                socket.socket(family, kind)
            except OSError as error:
                assert error.errno == errno.EAFNOSUPPORT, (family, error)
                continue
            raise AssertionError(family)
for family, protocol in ((socket.AF_INET, 1), (socket.AF_INET, 255), (socket.AF_INET6, 58)):
    try:
        socket.socket(family, socket.SOCK_RAW, protocol)
    except PermissionError:
        continue
    raise AssertionError(family)
