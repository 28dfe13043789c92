"""The key that signs badges: made once, by however many, for its owner alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import jwt
import pytest

from jupyter_ppo.domain.credentials import thumbprint
from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.storage.signing_key import SigningKey

CHILD = """
import sys
from pathlib import Path
from jupyter_ppo.storage.signing_key import SigningKey

key = SigningKey(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(key.public()["x"])
"""


def test_a_key_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "badges.pem"
    key = SigningKey(path)
    assert not path.exists()
    first = key.public()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["badges.pem"]
    assert SigningKey(path).public() == first
    assert first["kid"] == thumbprint(first)
    assert set(first) == {"kty", "crv", "x", "use", "alg", "kid"}  # never "d"


def test_many_processes_at_once_make_one_key(tmp_path: Path) -> None:
    path = tmp_path / "badges.pem"
    command = [sys.executable, "-c", CHILD, str(path)]
    pipe = subprocess.PIPE
    children = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(6)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    found = {child.communicate(timeout=60)[0].strip() for child in children}
    assert found == {SigningKey(path).public()["x"]}
    assert os.listdir(tmp_path) == ["badges.pem"]


def test_what_it_signs_holds_with_the_key_in_the_header_and_no_other(tmp_path: Path) -> None:
    key = SigningKey(tmp_path / "badges.pem")
    token = key.sign({"name": "caf\u00e9"})
    header = jwt.get_unverified_header(token)
    assert set(header) == {"alg", "typ", "jwk"}  # Open Badges allows no others
    assert (header["alg"], header["typ"]) == ("EdDSA", "JWT")
    assert header["jwk"] == {name: key.public()[name] for name in ("kty", "crv", "x")}
    assert jwt.decode(token, jwt.PyJWK(key.public()), ["EdDSA"]) == {"name": "caf\u00e9"}
    other = SigningKey(tmp_path / "other.pem").public()
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, jwt.PyJWK(other), ["EdDSA"])
    assert key.sign({"name": "caf\u00e9"}) == token


@pytest.mark.parametrize("data", [b"", b"-----BEGIN PRIVATE KEY-----", b"\xff\0"])
def test_a_damaged_key_is_named_and_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "badges.pem"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(UnavailableError, match=r"badges\.pem: this is no Ed25519 key"):
        SigningKey(path).public()
    assert path.read_bytes() == data


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    path = tmp_path / "badges.pem"
    other = generate_private_key(SECP256R1())
    path.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(UnavailableError, match="no Ed25519 key"):
        SigningKey(path).sign({})


def test_a_key_that_others_may_read_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "badges.pem"
    SigningKey(path).public()
    path.chmod(0o640)
    with pytest.raises(UnavailableError, match=r"others may read.*chmod 600"):
        SigningKey(path).public()


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError, match=r"badges\.pem: the key that signs badges cannot"):
        SigningKey(tmp_path / "file" / "badges.pem").public()
