"""Exit 0 when a container engine answers that this user may use; say which with ``-v``."""

import sys

import anyio

from longshore.engine.opening import open_engine
from longshore.environment import Environment
from longshore.errors import LongshoreError


async def _ask() -> str:
    async with open_engine("docker", Environment.of_process()) as engine:
        return (await engine.info()).endpoint


def main() -> int:
    """The exit code."""
    try:
        endpoint = anyio.run(_ask)
    except LongshoreError:
        return 1
    if "-v" in sys.argv:
        sys.stdout.write(f"{endpoint}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
