"""Ctrl-C while an engine lets the program wait for its first answer."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("longshore")
COMMANDS = ("steps", "load", "run app", "load app", "cleanup", "cleanup --dry-run")


@pytest.mark.parametrize("words", COMMANDS)
def test_ctrl_c_before_the_engine_has_answered_ends_every_command_with_130_and_no_report(
    words: str, tmp_path: Path
) -> None:
    (tmp_path / "codeship-services.yml").write_text("app: {image: busybox}\n")
    (tmp_path / "codeship-steps.yml").write_text("- {service: app, command: echo}\n")
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(tmp_path / "engine.sock"))
        engine.listen()
        engine.settimeout(20)
        process = subprocess.Popen(
            [PROGRAM, *words.split()],
            cwd=tmp_path,
            env={"HOME": str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/engine.sock"},
            stderr=subprocess.PIPE,
            text=True,
        )
        connection, _ = engine.accept()
        with connection:
            connection.recv(1)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=20)
    assert process.returncode == 130, told
    assert "Error:" not in told
