"""The bare Engine API: create, start, wait and remove N containers, and nothing else.

``bare_engine.py SOCKET IMAGE COUNT AT_ONCE [COMMAND...]``: the least that can be done, over the
standard library's HTTP client, for `bench/steps.py` to compare with. Prints the seconds that took,
its own start-up left out.
"""

from __future__ import annotations

import http.client
import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor


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


def step(path: str, image: str, command: list[str]) -> None:
    """One container's life."""
    connection = Connection(path)
    body = {"Image": image, "Cmd": command, "HostConfig": {"LogConfig": {"Type": "none"}}}
    created = json.loads(ask(connection, "POST", "/containers/create", body))["Id"]
    ask(connection, "POST", f"/containers/{created}/start")
    ask(connection, "POST", f"/containers/{created}/wait")
    ask(connection, "DELETE", f"/containers/{created}?v=1")
    connection.close()


def main() -> None:
    """Run COUNT steps, AT_ONCE at a time."""
    path, image, count, at_once, *command = sys.argv[1:]
    begun = time.perf_counter()
    with ThreadPoolExecutor(int(at_once)) as pool:
        list(pool.map(lambda _: step(path, image, command or ["true"]), range(int(count))))
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
