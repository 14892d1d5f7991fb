"""docs/reference/cli.md is what the commands say; ``LONGSHORE_WRITE_DOCS=1`` rewrites it."""

from __future__ import annotations

import os
from pathlib import Path

from longshore.cli.exit_codes import ExitCode
from longshore.cli.main import longshore
from longshore.cli.reference import cli_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_checked_in_page_is_the_generated_one() -> None:
    page = cli_page(longshore)
    if os.environ.get("LONGSHORE_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "run with LONGSHORE_WRITE_DOCS=1"


def test_every_exit_code_is_explained() -> None:
    page = cli_page(longshore)
    assert all(f"\n| {code.value} | " in page for code in ExitCode)
