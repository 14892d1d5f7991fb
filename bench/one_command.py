"""One command as the child of a small process: ``one_command.py DESCRIPTOR COMMAND [ARGUMENT...]``.

Writes its seconds of wall clock and its peak memory in MiB to DESCRIPTOR, and ends as it did.
`ru_maxrss` begins with the size of the process that starts the command (Linux, ``exec_mmap``), so
that has to be smaller than what is measured.
"""

from __future__ import annotations

import os
import sys
import time


def main(descriptor: str, *command: str) -> int:
    """The exit code of `command`."""
    begun = time.perf_counter()
    pid = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_CLOSE, int(descriptor))],
    )
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - begun
    os.write(int(descriptor), b"%f %f" % (seconds, usage.ru_maxrss / 1024))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
