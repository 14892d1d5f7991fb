"""The bare Engine API: create, start, wait and remove N containers, and nothing else.

``bare_engine.py [--read] SOCKET IMAGE COUNT AT_ONCE [COMMAND...]``: the least that can be done,
over the standard library's HTTP client, for `bench/steps.py` to compare with; with ``--read`` the
containers' output is read, and dropped. Prints the seconds that took, its own start-up left out.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext


class Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def ask(connection: Connection, method: str, path: str, body: object = None) -> bytes:
    """One request; anything but success ends the program."""
    data = json.dumps(body) if body is not None else None
    connection.request(method, path, data, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    if answer.status >= 400:
        sys.exit(content.decode())
    return content


@contextmanager
def output(path: str, container: str) -> Iterator[None]:
    """Attach to a container that will be started in the block, and read its output to the end."""
    connection = Connection(path)
    connection.request("POST", f"/containers/{container}/attach?stream=1&stdout=1&stderr=1")
    answer = connection.getresponse()
    if answer.status >= 400:
        sys.exit(answer.read().decode())
    yield
    room = bytearray(1 << 18)
    while answer.readinto(room):
        pass
    connection.close()


def step(path: str, image: str, command: list[str], *, read: bool) -> None:
    """One container's life."""
    connection = Connection(path)
    body = {"Image": image, "Cmd": command, "HostConfig": {"LogConfig": {"Type": "none"}}}
    created = json.loads(ask(connection, "POST", "/containers/create", body))["Id"]
    with output(path, created) if read else nullcontext():
        ask(connection, "POST", f"/containers/{created}/start")
    ask(connection, "POST", f"/containers/{created}/wait")
    ask(connection, "DELETE", f"/containers/{created}?v=1")
    connection.close()


def main() -> None:
    """Run COUNT steps, AT_ONCE at a time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--read", action="store_true")
    parser.add_argument("path")
    parser.add_argument("image")
    parser.add_argument("count", type=int)
    parser.add_argument("at_once", type=int)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    command = given.command or ["true"]

    def one(_: int) -> None:
        step(given.path, given.image, command, read=given.read)

    begun = time.perf_counter()
    with ThreadPoolExecutor(given.at_once) as pool:
        list(pool.map(one, range(given.count)))
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
