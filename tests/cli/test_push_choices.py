"""Flags about pushing: what they make, and what is refused before a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from longshore.cli.choices import Flags
from longshore.cli.push_choices import push_settings
from longshore.errors import UsageError
from longshore.oci.media_types import Compression

from .conftest import Program

NOTHING_ASKED: Flags = {
    "compression": None,
    "compression_level": None,
    "push_format": None,
    "verify": False,
    "push_retries": 8,
    "push_timeout": 7200.0,
    "metadata_file": None,
    "pusher": "auto",
}


def test_packed_layers_stay_as_they_are_unless_a_compression_is_named() -> None:
    assert push_settings(NOTHING_ASKED).compression.compression is Compression.GZIP
    assert not push_settings(NOTHING_ASKED).repack
    assert push_settings({**NOTHING_ASKED, "compression": "gzip"}).repack


@pytest.mark.parametrize(
    ("flag", "value", "name"),
    [
        ("compression", "gzip", "--compression"),
        ("compression_level", 3, "--compression-level"),
        ("push_format", "oci", "--push-format"),
    ],
)
def test_what_the_engines_push_cannot_do_is_refused_with_it(
    flag: str, value: object, name: str
) -> None:
    push_settings({**NOTHING_ASKED, flag: value})
    with pytest.raises(UsageError) as caught:
        push_settings({**NOTHING_ASKED, flag: value, "pusher": "engine"})
    assert caught.value.message.startswith(f"{name} has no effect on the engine's own push")


@pytest.mark.parametrize(
    ("command", "name"), [("push busybox", "--format"), ("steps", "--push-format")]
)
def test_the_format_is_called_in_the_refusal_as_the_command_calls_it(
    longshore: Program, command: str, name: str
) -> None:
    done = longshore(*command.split(), name, "oci", "--pusher", "engine")
    assert f"Error: {name} has no effect on the engine's own push" in done.err
    assert f"with {name} longshore pushes by itself" in done.err


def test_a_metadata_file_where_this_user_may_not_look_is_in_no_directory(locked: Path) -> None:
    with pytest.raises(UsageError, match="is in no directory that exists"):
        push_settings({**NOTHING_ASKED, "metadata_file": str(locked / "below" / "pushed.json")})
