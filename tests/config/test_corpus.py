"""Every public file is read; every error is a defect of that file, listed and reviewed.

``LONGSHORE_WRITE_DOCS=1`` rewrites the list; every line that changes must be looked at by eye.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from longshore.config.load import Loaded, load
from longshore.config.problem import Severity

EXPECTED = Path(__file__).with_name("corpus_expected.txt")


def projects(corpus: Path) -> Iterator[tuple[str, Loaded]]:
    """Every folder that holds files, loaded with the names it uses."""
    for folder in sorted({path.parent for path in corpus.rglob("*") if not path.is_dir()}):
        names = sorted(path.name for path in folder.iterdir() if not path.is_dir())
        services = next((n for n in names if "services" in n or "compose" in n), None)
        steps = next((n for n in names if "steps" in n), None)
        usual = {"services_path": services, "steps_path": steps}
        given = {key: name for key, name in usual.items() if name and name.endswith(".yaml")}
        found = load(folder, need_steps=steps is not None, **given)
        yield str(folder.relative_to(corpus)), found


def described(corpus: Path) -> str:
    """The table of files with errors and warnings, and below it each error."""
    rows, errors = [], []
    for name, found in projects(corpus):
        assert (found.project is None) == any(p.severity is Severity.ERROR for p in found.problems)
        for path in sorted(found.sources):
            here = [p for p in found.problems if p.place.path == path]
            count = Counter(p.severity for p in here)
            shown = f"{name}/{Path(path).name}"
            rows.append(f"{count[Severity.ERROR]:3} {count[Severity.WARNING]:4}  {shown}")
        for problem in found.problems:
            if problem.severity is Severity.ERROR:
                at = f"{name}/{Path(problem.place.path).name}:{problem.place.line}"
                message = problem.message.replace(str(corpus) + "/", "")
                errors.append(f"{problem.code} {at}: {message}")
    head = f"{len(rows)} files: errors, warnings, file"
    return "\n".join([head, *rows, "", f"{len(errors)} errors", *errors, ""])


def test_every_public_file_is_read_and_every_error_is_known(corpus: Path) -> None:
    found = described(corpus)
    if os.environ.get("LONGSHORE_WRITE_DOCS"):
        EXPECTED.write_text(found, encoding="utf-8")
    assert found == EXPECTED.read_text(encoding="utf-8")


def test_every_error_in_a_public_file_was_reviewed() -> None:
    listed = EXPECTED.read_text(encoding="utf-8").partition(" errors\n")[2].splitlines()
    found = [re.sub(r"(:\d+): .*", r"\1", line) for line in listed]
    reviewed = EXPECTED.with_name("corpus_reviewed.txt").read_text(encoding="utf-8").splitlines()
    assert found == [line.partition(" | ")[0] for line in reviewed[2:]]
