"""Where a webhook may lead: to the public internet, and to what an admin names."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.webhook_addresses import (
    AllowedHosts,
    checked_target,
    is_public,
    read_target,
)

NOBODY = AllowedHosts()
INTERNAL = (
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "10.1.2.3",
    "100.64.0.1",  # carrier-grade NAT, and a cloud's metadata at 100.100.100.200
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # a cloud's platform, public by its number
    "169.254.169.254",  # metadata of most clouds
    "172.16.0.1",
    "192.0.0.192",
    "192.168.0.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "fd00:ec2::254",  # metadata by IPv6
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
)


@pytest.mark.parametrize("address", INTERNAL)
def test_nothing_is_sent_to_what_is_not_one_machine_of_the_public_internet(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not NOBODY.may_connect("hooks.example", address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450::1"])
def test_the_public_internet_is_reached(address: str) -> None:
    assert NOBODY.may_connect("hooks.example", address)


@given(st.ip_addresses(v=4))
def test_no_private_address_comes_in_as_ipv6(address: IPv4Address) -> None:
    for carrier in (
        IPv6Address((0xFFFF << 32) + int(address)),
        IPv6Address(int(address)),
        IPv6Address((0x64FF9B << 96) + int(address)),
        IPv6Address((0x2002 << 112) + (int(address) << 80)),
    ):
        assert not is_public(carrier)


@given(st.text(max_size=40))
def test_what_is_no_address_leads_nowhere(text: str) -> None:
    try:
        ip_address(text)
    except ValueError:
        assert not NOBODY.may_connect("hooks.example", text)


def test_an_admin_names_hosts_addresses_and_networks() -> None:
    allowed = AllowedHosts(["Hooks.Internal.", "10.20.0.0/16", "::1"])
    assert allowed.may_connect("hooks.internal", "192.168.3.4")
    assert allowed.may_connect("anything.example", "10.20.3.4")
    assert allowed.may_connect("anything.example", "::1")
    assert not allowed.may_connect("anything.example", "10.21.3.4")
    assert not allowed.may_connect("hooks.internal.evil.example", "10.21.3.4")
    assert allowed.may_be_plain("hooks.internal")
    assert allowed.may_be_plain("10.20.0.9")
    assert not allowed.may_be_plain("anything.example")
    assert not allowed.may_be_plain("10.21.0.9")


@pytest.mark.parametrize("entry", ["", "https://x", "a b", "10.0.0.0/40", "x/8", "*.example"])
def test_a_host_that_cannot_be_named_is_refused(entry: str) -> None:
    with pytest.raises(InvalidInputError, match="webhook_allowed_hosts"):
        AllowedHosts([entry])


def test_an_address_is_read_part_by_part() -> None:
    target = read_target("https://Hooks.Example.:8443/a/b?c=d&e")
    assert (target.host, target.port, target.path) == ("hooks.example", 8443, "/a/b?c=d&e")
    assert (target.header, target.is_tls) == ("hooks.example:8443", True)
    assert read_target("https://hooks.example").header == "hooks.example"
    assert read_target("https://hooks.example?x").path == "/?x"
    assert read_target("https://[2606:4700::1111]/").header == "[2606:4700::1111]"
    assert "secret" not in read_target("https://hooks.example/secret").origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        "ftp://hooks.example/",
        "file:///etc/passwd",
        "https://",
        "https:///x",
        "https://user@hooks.example/",
        "https://user:word@hooks.example/",
        "https://hooks.example/#part",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nX-Other: 1",
        "https://hooks.example\\@evil.example/",
        "https://hooks.example:0/",
        "https://hooks.example:70000/",
        "https://hooks.example:port/",
        "https://[::1/",
        "https://[1::2::3]/",
        "https://-x.example/",
        "https://hööks.example/",
        "https://hooks.example/" + "x" * 2000,
        "http://hooks.example/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        checked_target(url, NOBODY)
    assert error.value.field == "url"


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_an_error_that_names_the_field(text: str) -> None:
    for url in (text, f"https://{text}", f"https://hooks.example/{text}"):
        try:
            target = read_target(url)
        except InvalidInputError:
            continue
        for part in (target.host, target.path, target.header):
            assert part.isascii()
            assert part.isprintable()
            assert " " not in part
