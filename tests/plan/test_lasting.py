"""Only arguments of stages that become part of the image stay in its history."""

from __future__ import annotations

import pytest

from longshore.plan.lasting import is_copied, lasting_arguments


@pytest.mark.parametrize(
    ("dockerfile", "lasting"),
    [
        ("FROM a\nARG TOKEN\nRUN x\n", ("TOKEN",)),
        ("from a\narg  TOKEN=\nRUN x\n", ("TOKEN",)),
        ("ARG TOKEN\nFROM a:$TOKEN\nRUN x\n", ()),
        ("FROM a AS one\nARG TOKEN\nRUN x\nFROM a\nCOPY --from=one /x /x\n", ()),
        ("FROM a AS one\nARG TOKEN\nFROM One\nRUN x\n", ("TOKEN",)),
        ("FROM a AS one\nARG TOKEN\nFROM one AS two\nFROM --platform=x two\n", ("TOKEN",)),
        ("FROM a\nARG \\\n  # why\n  OTHER=1 TOKEN\nRUN x\n", ("TOKEN",)),
        ("FROM a\n# ARG TOKEN\nRUN echo ARG TOKEN\n", ()),
        ("", ()),
    ],
)
def test_arguments_of_the_stages_of_the_image_last(
    dockerfile: str, lasting: tuple[str, ...]
) -> None:
    assert lasting_arguments(dockerfile, ["TOKEN", "OTHERS"]) == lasting


@pytest.mark.parametrize(
    ("dockerfile", "copied"),
    [
        ("FROM a\nCOPY . /app\n", True),
        ("FROM a\nCOPY ./ ./\n", True),
        ("FROM a\nadd --chown=me / /app\n", True),
        ('FROM a\nCOPY ["x", ".", "/app"]\n', True),
        ("FROM a\nCOPY codeship.* /app/\n", True),
        ("FROM a\nCOPY src Gemfile /app/\n", False),
        ("FROM a\nCOPY src .\n", False),
        ("FROM a AS one\nCOPY . /app\nFROM a\nCOPY --from=one . /app\n", False),
        ("FROM a AS one\nCOPY . /app\nFROM one\n", True),
        ("FROM a\nCOPY [\nCOPY {}\nCOPY\n", False),
    ],
)
def test_what_the_stages_of_the_image_copy_is_in_it(dockerfile: str, copied: bool) -> None:
    assert is_copied(dockerfile, "codeship.aes") is copied
