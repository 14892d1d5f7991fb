"""Print every requirement of pyproject.toml, one a line: build, run time and development.

``declared.py --oldest`` prints those of the run time alone, with their oldest versions.
"""

import sys
import tomllib
from pathlib import Path

_EDITABLE = "editables"
"""What hatchling needs beyond the declared requirements for `pip install --editable`."""


def main() -> None:
    """Write them to standard output."""
    declared = tomllib.loads(Path("pyproject.toml").read_text())
    of_run_time = declared["project"]["dependencies"]
    requirements = (
        *declared["build-system"]["requires"],
        _EDITABLE,
        *of_run_time,
        *declared["dependency-groups"]["dev"],
    )
    if sys.argv[1:] == ["--oldest"]:
        requirements = tuple(each.replace(">=", "==", 1) for each in of_run_time)
    sys.stdout.write("".join(f"{requirement}\n" for requirement in requirements))


if __name__ == "__main__":
    main()
