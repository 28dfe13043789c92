"""Where a webhook may be: what its address looks like, and which machines it may lead to.

A server that sends requests to addresses that people choose can be made to reach what only it can
reach (server-side request forgery). So an address is looked at twice: its text when it is entered,
and every IP address that its name stands for, each time that something is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import NoReturn
from urllib.parse import urlsplit

from jupyter_ppo.domain.errors import InvalidInputError

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network

MAX_URL = 2000
_PORTS = {"https": 443, "http": 80}
#: RFC 3986 without what only confuses: everything else is escaped by whoever writes the address.
_URL = re.compile(r"https?://[A-Za-z0-9.\-_:\[\]]+(?:[/?][A-Za-z0-9\-._~:/?@!$&'()*+,;=%\[\]]*)?")
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_-]+)*")

#: What a cloud keeps for its own machinery (Oracle's metadata is in the first, RFC 6890; the last
#: is Azure's platform), and the relays of 6to4 (RFC 7526).
_MACHINERY = tuple(
    IPv4Network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16")
)
#: IPv6 addresses that stand for an IPv4 address, which a gateway would reach for us: mapped and
#: compatible (RFC 4291), NAT64 (RFC 6052, RFC 8215), 6to4 (RFC 3056), Teredo (RFC 4380).
_CARRIERS = tuple(
    IPv6Network(each)
    for each in (
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an address; ``host`` is lower case, without brackets."""

    scheme: str
    host: str
    port: int
    #: Path and query, as they are sent.
    path: str

    @property
    def is_tls(self) -> bool:
        """Whether it is https."""
        return self.scheme == "https"

    @property
    def origin(self) -> str:
        """Whom one talks to there, for logs and for a circuit: no path, which may hold a secret."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{shown}:{self.port}"

    @property
    def header(self) -> str:
        """The ``Host`` of a request."""
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return shown if self.port == _PORTS[self.scheme] else f"{shown}:{self.port}"


class AllowedHosts:
    """What an admin allows beyond the public internet: names of hosts, and networks.

    A host that is named may be anywhere, and be reached without TLS. An address within a network
    that is named may be reached, also by a name; without TLS if it is written as a number.
    """

    def __init__(self, entries: Iterable[str] = ()) -> None:
        names: set[str] = set()
        networks: list[IpNetwork] = []
        for entry in entries:
            network = _network(entry)
            if network is not None:
                networks.append(network)
            elif _HOST.fullmatch(entry.lower().rstrip(".")):
                names.add(entry.lower().rstrip("."))
            else:
                msg = (
                    f"webhook_allowed_hosts: {entry[:80]!r} is no host. Use a name, an IP address "
                    "or a network such as 10.20.0.0/16."
                )
                raise InvalidInputError(msg, field="webhook_allowed_hosts")
        self._names = frozenset(names)
        self._networks = tuple(networks)

    def may_connect(self, host: str, address: str) -> bool:
        """Whether a request for ``host`` may go to this IP address."""
        if host in self._names:
            return True
        found = _address(address)
        return found is not None and (self._has(found) or is_public(found))

    def may_be_plain(self, host: str) -> bool:
        """Whether ``host`` may be reached by http."""
        found = _address(host)
        return host in self._names or (found is not None and self._has(found))

    def _has(self, address: IpAddress) -> bool:
        return any(
            address.version == network.version and address in network for network in self._networks
        )


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the public internet, and of one machine there.

    Not private, loopback, link-local (where clouds have their metadata), multicast, reserved, nor
    an IPv6 address that carries an IPv4 one.
    """
    if isinstance(address, IPv6Address):
        is_carrier = any(address in network for network in _CARRIERS)
        if is_carrier or address.is_site_local or address.scope_id is not None:
            return False
    elif any(address in network for network in _MACHINERY):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def read_target(url: str) -> Target:
    """Return the parts of an address; raise ``InvalidInputError`` (field ``url``)."""
    if len(url) > MAX_URL or not _URL.fullmatch(url):
        _refuse(
            "this is no address that can be used. Use https://host/path with ASCII characters, at "
            f"most {MAX_URL}, without a user name and without a fragment (#)"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        _refuse("its host or its port cannot be read")
    host = (parts.hostname or "").rstrip(".")
    if port == 0 or (not _HOST.fullmatch(host) and _address(host) is None):
        _refuse("its host or its port cannot be read")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def checked_target(url: str, allowed: AllowedHosts) -> Target:
    """Return the parts of an address that a webhook may have.

    Raises ``InvalidInputError`` (field ``url``) for http where that is not allowed, and for an IP
    address that is not. What a name stands for is looked at when something is sent.
    """
    target = read_target(url)
    if not target.is_tls and not allowed.may_be_plain(target.host):
        _refuse(f"http is not allowed for {target.host!r}. Use https")
    if _address(target.host) is not None and not allowed.may_connect(target.host, target.host):
        _refuse(f"{target.host} is not on the public internet, and an admin must allow it")
    return target


def _refuse(problem: str) -> NoReturn:
    msg = f"url: {problem}."
    raise InvalidInputError(msg, field="url") from None


def _address(text: str) -> IpAddress | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> IpNetwork | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
