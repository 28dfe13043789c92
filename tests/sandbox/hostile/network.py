# verdict: ran
# program: succeeded
# ruff: noqa
# looks for a network
import errno
import socket

for address in (("169.254.169.254", 80), ("172.17.0.1", 2375), ("1.1.1.1", 53)):
    try:
        socket.create_connection(address, timeout=5)
    except OSError as error:
        assert error.errno == errno.ENETUNREACH, error
    else:
        raise AssertionError(address)
try:
    socket.getaddrinfo("example.org", 80)
except socket.gaierror:
    pass
else:
    raise AssertionError("a name was resolved")
