"""What our lines may look like, by what the user's environment says (C-29)."""

from __future__ import annotations

import pytest

from longshore.cli.terminal import style
from longshore.environment import Environment


@pytest.mark.parametrize(
    ("variables", "marks"),
    [
        ({}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python makes it of LANG=C (PEP 538)
        ({"LANG": "en_US.utf8", "LC_ALL": ""}, True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, False),
        ({"LC_ALL": "POSIX"}, False),
        ({"LC_CTYPE": "en_US.ISO-8859-1", "LANG": "en_US.UTF-8"}, False),
    ],
)
def test_marks_are_ascii_in_a_locale_of_another_encoding_than_utf_8(
    variables: dict[str, str], marks: bool
) -> None:
    assert style(Environment(variables)).unicode is marks
