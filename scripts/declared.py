"""Print every requirement of pyproject.toml, one a line: build, run time and development."""

import sys
import tomllib
from pathlib import Path

_EDITABLE = "editables"
"""What hatchling needs beyond the declared requirements for `pip install --editable`."""


def main() -> None:
    """Write them to standard output."""
    declared = tomllib.loads(Path("pyproject.toml").read_text())
    requirements = (
        *declared["build-system"]["requires"],
        _EDITABLE,
        *declared["project"]["dependencies"],
        *declared["dependency-groups"]["dev"],
    )
    sys.stdout.write("".join(f"{requirement}\n" for requirement in requirements))


if __name__ == "__main__":
    main()
