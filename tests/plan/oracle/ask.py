"""Ask Go and sh every question of this folder and write their answers to ``../data``."""

from __future__ import annotations

import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def _questions(name: str) -> dict[str, Any]:
    return runpy.run_path(str(HERE / f"{name}_questions.py"))


TIMES, PATTERNS, WORDS = _questions("time"), _questions("pattern"), _questions("word")
TEMPLATES, PRINTF = _questions("template"), _questions("printf")


def main() -> None:
    told = _ask_go()
    go = told["go"]
    _write("templates", {"go": go, "data": TEMPLATES["DATA"], "results": told["templates"]})
    _write("patterns", {"go": go, "branches": PATTERNS["BRANCHES"], "results": told["patterns"]})
    moved = [
        {"by": by, "results": results}
        for by, results in zip(TIMES["MOVES"], told["moves"], strict=True)
    ]
    _write(
        "layouts", {"go": go, "times": TIMES["TIMES"], "results": told["layouts"], "moves": moved}
    )
    _write("words", {command: _ask_sh(command) for command in WORDS["COMMANDS"]})


def _ask_go() -> Any:
    asked = {
        "data": TEMPLATES["DATA"],
        "templates": [*TEMPLATES["TEMPLATES"], *PRINTF["PRINTF"]],
        "patterns": PATTERNS["PATTERNS"],
        "branches": PATTERNS["BRANCHES"],
        "layouts": TIMES["LAYOUTS"],
        "times": TIMES["TIMES"],
        "moves": TIMES["MOVES"],
    }
    done = subprocess.run(
        ["go", "run", "."], cwd=HERE, input=json.dumps(asked), stdout=subprocess.PIPE, text=True
    )
    done.check_returncode()
    return json.loads(done.stdout)


def _ask_sh(command: str) -> list[str] | None:
    """The words of a command, None when sh cannot read it."""
    script = 'eval "set -- $1"; for word; do printf "%s\\0" "$word"; done'
    done = subprocess.run(["sh", "-c", script, "sh", command], capture_output=True)
    if done.returncode:
        return None
    return done.stdout.decode().split("\0")[:-1]


def _write(name: str, told: Any) -> None:
    text = json.dumps(told, ensure_ascii=True, indent=1, sort_keys=True)
    (HERE.parent / "data" / f"{name}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
