"""The images that a Dockerfile is built on, as Docker would find them."""

from __future__ import annotations

import pytest

from longshore.config.base_images import base_images


@pytest.mark.parametrize(
    ("dockerfile", "images"),
    [
        ("FROM alpine", ["alpine:latest"]),
        ("FROM alpine:3 AS a\nFROM a\nFROM quay.io/x/y", ["alpine:3", "quay.io/x/y:latest"]),
        ("FROM scratch\nCOPY --from=0 /a /b", []),
        ("FROM base AS base\nFROM base\nCOPY --from=base /a /b", ["base:latest"]),
        ("FROM two\nFROM one AS two", ["two:latest", "one:latest"]),
        ("ARG B=x C='y z'\nFROM $B\nFROM q/${B}:1", ["x:latest", "q/x:1"]),
        ("ARG GIVEN=x\nARG B=${GIVEN}/y\nFROM $B", ["value/y:latest"]),
        ("ARG GIVEN\nARG NONE\nFROM $GIVEN\nFROM ${NONE}\nFROM a/$NONE", ["value:latest"]),
        (
            "ARG E=\nFROM ${E:-x}\nFROM ${E:+y}z\nFROM ${NONE-v}",
            ["x:latest", "z:latest", "v:latest"],
        ),
        ("FROM x\nARG B=y\nFROM $B\nFROM $GIVEN", ["x:latest"]),
        ("ARG B='\nFROM $B", []),
        ("ARG A=x B=y\nFROM $A\nFROM $B", ["x:latest", "y:latest"]),
        ("FROM x AS build\nFROM scratch\nCOPY --from=Build /a /b", ["x:latest"]),
        ("\ufeffFROM x", ["x:latest"]),
        (
            "FROM x\nRUN --mount=type=bind,from=m/a,target=/m \\\n --mount=from=b,target=/b true",
            ["x:latest", "m/a:latest", "b:latest"],
        ),
        ("FROM x AS s\n# RUN --mount=from=y\nRUN --mount=from=s,target=/s true", ["x:latest"]),
        ("# FROM x\nRUN echo FROM y", []),
    ],
)
def test_the_images_of_a_dockerfile(dockerfile: str, images: list[str]) -> None:
    assert list(base_images(dockerfile, [("GIVEN", "value")])) == images


def test_values_that_double_from_line_to_line_do_not_fill_the_memory() -> None:
    lines = ["ARG A0=x", *(f"ARG A{n}=${{A{n - 1}}}${{A{n - 1}}}" for n in range(1, 64))]
    dockerfile = "\n".join([*lines, "FROM ${A3}", "FROM ${A63}"])
    short, long = base_images(dockerfile)
    assert short == "xxxxxxxx:latest"
    assert len(long) < 10_000
