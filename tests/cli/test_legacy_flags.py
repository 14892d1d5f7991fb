"""Command lines written for jet 1.x go on working (spec 7.2)."""

from __future__ import annotations

import pytest

from .conftest import Program

NOWHERE = ("--engine", "unix:///nonexistent/docker.sock")


@pytest.mark.parametrize(
    "command", [("steps",), ("run", "demo"), ("load", "demo"), ("plan", "--tag", "v1")]
)
@pytest.mark.parametrize(
    ("words", "notice"),
    [
        (["--singleton-links"], "--singleton-links is ignored"),
        (["--keep-volume-containers"], "--keep-volume-containers is ignored"),
        (["--remote-cache=true"], "--remote-cache is ignored: see --cache-registry"),
        (["--log-driver", "v1"], "--log-driver is ignored: see --log-format"),
        (["--print-build-output=false"], "--print-build-output is ignored: build output is shown,"),
        (["--no-print-build-output"], None),
    ],
)
def test_flags_of_jet_1_are_taken_by_all_that_run_something(
    longshore: Program, command: tuple[str, ...], words: list[str], notice: str | None
) -> None:
    name, *rest = command
    done = longshore(name, *words, *NOWHERE, *rest)
    assert done.code == (0 if name == "plan" else 125), done.err
    if notice:
        assert f"notice: {notice}" in done.err
    else:
        assert "is ignored" not in done.err
