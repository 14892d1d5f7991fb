"""Bridges of private engines, made with the real tools."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from longshore.engine.embedded.bridge import Bridge, NetworkTools, chosen_bridge, set_up, tear_down

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.getuid() != 0, reason="without root no bridge is made"),
]


@pytest.fixture
def tools() -> NetworkTools:
    """Those of this machine."""
    ip, iptables = shutil.which("ip"), shutil.which("iptables")
    assert ip
    assert iptables
    return NetworkTools(ip=ip, iptables=iptables)


def _rivals() -> list[Path]:
    """Owners of data whose engines look for a range from the same place on."""
    owners = [Path(f"/longshore-test/{os.getpid()}/{number}") for number in range(200)]
    wanted = chosen_bridge(owners[0], "").network
    return [one for one in owners if chosen_bridge(one, "").network == wanted][:2]


async def test_two_engines_that_start_at_once_get_ranges_of_their_own(tools: NetworkTools) -> None:
    made: list[Bridge] = []
    async with AsyncExitStack() as ended:

        async def start(owner: Path) -> None:
            async with set_up(owner, tools) as bridge:
                made.append(bridge)
                for command in tear_down(bridge, tools):
                    ended.callback(subprocess.run, command, check=True)

        async with anyio.create_task_group() as starts:
            for owner in _rivals():
                starts.start_soon(start, owner)
        first, second = made
        assert not first.network.overlaps(second.network)
