"""As root: a private engine that another user may use, until standard input ends.

``private_engine.py UID`` prints the engine's address when it answers. For users who can become
root but have no engine of their own (`scripts/with-engine`).
"""

import os
import sys
from pathlib import Path

import anyio

from longshore.engine.embedded.engine import embedded_engine
from longshore.environment import Environment
from longshore.errors import LongshoreError


async def _serve(uid: int) -> None:
    async with embedded_engine(Environment.of_process()) as endpoint:
        socket = Path(endpoint.url.removeprefix("unix://"))
        socket.parent.chmod(0o711)
        os.chown(socket, uid, -1)
        sys.stdout.write(f"{endpoint.url}\n")
        sys.stdout.flush()
        await anyio.to_thread.run_sync(sys.stdin.read)


def main() -> int:
    """The exit code."""
    try:
        anyio.run(_serve, int(sys.argv[1]))
    except LongshoreError as error:
        sys.stderr.write(f"{error.message}\n{error.hint or ''}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
