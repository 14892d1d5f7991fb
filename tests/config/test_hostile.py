"""Hostile files end in success or a problem within 2 seconds and 300 MB, never in a traceback."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

_LOAD = """
import re, sys, time
from pathlib import Path
from longshore.config.load import load
start = time.process_time()
found = load(Path(sys.argv[1]))
# Not ru_maxrss: that begins with the peak of the process that started this one.
peak = re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())
print(time.process_time() - start, int(peak[1]) // 1024)
print(found.problems[0] if found.problems else "fine")
"""

_LAUGHS = "a0: &a0 {image: x}\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
_NESTED_GROUPS = "- &a0 {service: app, command: ls}\n" + "".join(
    f"- &a{n} {{type: serial, steps: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 9)
)
_MULTIPLIED = "".join(
    f"{'  ' * n}- type: parallel\n{'  ' * n}  services: [{', '.join(['app'] * 9)}]\n"
    f"{'  ' * n}  steps:\n"
    for n in range(8)
)
_MERGES = (
    "x-a: &a {"
    + ",".join(f"k{n}: 1" for n in range(3000))
    + "}\n"
    + ("app:\n  image: x\n  <<: [" + ",".join(["*a"] * 5000) + "]\n")
)


@pytest.mark.parametrize(
    ("services", "steps", "told"),
    [
        (_LAUGHS, "", "passes 120,000 values"),
        ("app: {image: x}\n", _NESTED_GROUPS, "passes 120,000 values"),
        ("app: {image: x}\n", _MULTIPLIED + "                - command: ls\n", "steps; at most"),
        (_MERGES, "", "passes 120,000 values"),
        ("[" * 10_000, "", "nested more than 200 levels"),
        ("{a: " * 10_000, "", "nested more than 200 levels"),
        ("".join(" " * n + "a:\n" for n in range(4000)), "", "nested more than 200 levels"),
        ("app: {image: x}\n", "- " * 10_000 + "a", "nested more than 200 levels"),
        ("app: {image: x}\n", "- steps:\n  " * 10_000, ""),
        ("a: " + "x" * 50_000_000, "", "the file has 50,000,003 bytes"),
        ("app: {image: x}\n#" + "x" * 10_000_000, "", ""),
        ("app: {image: x, command: '" + "x " * 4_000_000 + "'}", "", "this command has 8,000,000"),
        ("app: {image: x, command: '" + "x " * 60_000 + "'}", "", ""),
        ("app:\n  image: x\n" + "".join(f"  k{n}: 1\n" for n in range(50_000)), "", "unknown key"),
        ("\n".join(f"s{n}: {{image: x, depends_on: [s{n + 1}]}}" for n in range(8_000)), "", ""),
        ("a: b\0", "", "NUL"),
        ("\ufeffapp:\r\n  image: x\r\n", "", ""),
        ('app: {image: "' + "\\x41" * 2_000_000 + '"}', "", ""),
        ('{app: {image: "' + "\\ud83c\\udf89" * 800_000 + '"}}', "", ""),
        ('{app: {image: "' + "\\" * 9_000_000 + '"}}', "", ""),
        ("? " * 20_000, "", ""),
        ("app: &a\n" * 50_000, "", ""),
        ("'" * 1_000_001, "", ""),
        ("app: {image: x}\n", '- command: "' + "\\\\\n" * 500_000, ""),
        ("app: {image: x}\n", "- {service: ap, command: ls}\n" * 15_000, "undefined"),
        ("- - - -\n" * 100_000, "", ""),
        ("app: {image: x}\n", "- {service: app, command: ls, type: manual}\n" * 5_000, ""),
    ],
    ids=lambda value: value[:16] if isinstance(value, str) else None,
)
def test_a_hostile_file_is_answered_in_time(
    services: str, steps: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "codeship-services.yml").write_text(services, newline="")
    (tmp_path / "codeship-steps.yml").write_text(steps, newline="")
    command = [sys.executable, "-c", textwrap.dedent(_LOAD), str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    seconds, megabytes = ended.stdout.splitlines()[0].split()
    assert told in ended.stdout
    assert float(seconds) < 2.5
    assert int(megabytes) < 300
