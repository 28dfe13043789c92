"""Over https, the token goes to nobody whose certificate this server cannot check."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from forwarding_aid import RawService, refusal


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "service")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "service.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


async def test_only_a_certificate_that_is_trusted_gets_the_token(
    make_forwarder: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    service = RawService(tls=tls)
    await service.start()
    url = f"https://127.0.0.1:{service.port}/services/ppo/"

    stranger = await make_forwarder(service.port, service_url=url)
    assert (await stranger("GET", "/me")).code == 503
    assert service.got == []

    monkeypatch.setenv("JUPYTERHUB_SSL_CLIENT_CA", str(certificate))
    trusting = await make_forwarder(service.port, service_url=url)
    assert (await trusting("POST", "/x", b"{}" * 100_000)).code == 200
    assert service.last.body == b"{}" * 100_000
    service.doings = [refusal(404, "not_found")]
    stream = await trusting(
        "GET",
        "/runs/1/stream",
        headers={
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version": "13",
        },
    )
    assert stream.code == 404
    await service.stop()
