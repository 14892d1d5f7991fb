"""The flags of the commands around keys and encrypted files (spec section 6)."""

from __future__ import annotations

from pathlib import Path

from .conftest import Program


def test_v1_is_another_name_of_the_original_format(longshore: Program, project: Path) -> None:
    """The spec's own spelling (E-14)."""
    (project / "plain").write_text("A=b\n")
    assert longshore("generate").code == 0
    assert longshore("encrypt", "--format", "v1", "plain", "sealed").code == 0
    assert not (project / "sealed").read_bytes().startswith(b"longshore:")
    assert longshore("decrypt", "sealed", "again").code == 0
    assert (project / "again").read_text() == "A=b\n"


def test_another_format_is_told_with_those_there_are(longshore: Program) -> None:
    done = longshore("encrypt", "--format", "v2", "plain", "sealed")
    assert done.code == 2
    assert '"v2" is not longshore or jet-v1' in done.err
