"""Only arguments of stages that become part of the image stay in its history."""

from __future__ import annotations

import pytest

from longshore.plan.lasting import lasting_arguments


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
