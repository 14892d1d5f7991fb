"""Messages of builds, pulls and pushes as lines."""

from __future__ import annotations

import pytest

from longshore.engine.docker.images import registry_of
from longshore.engine.docker.output import LONGEST_LINE, Output
from longshore.engine.docker.progress import Progress
from longshore.errors import BuildFailed


def test_a_layer_gets_a_line_per_status_not_per_percent() -> None:
    progress = Progress()
    messages: list[dict[str, object]] = [
        {"status": "The push refers to repository [r]"},
        {"id": "a", "status": "Preparing"},
        {"id": "b", "status": "Preparing"},
        {"id": "a", "status": "Pushing", "progress": "1%"},
        {"id": "a", "status": "Pushing", "progress": "9%"},
        {"id": "b", "status": "Layer already exists"},
        {"id": "a", "status": "Pushed"},
        {"status": "1: digest: sha256:0 size: 1"},
        {"progressDetail": {}, "aux": {"Tag": "1", "Digest": "sha256:0", "Size": 1}},
    ]
    lines = [progress.line(message) for message in messages]
    assert [line for line in lines if line] == [
        "The push refers to repository [r]",
        "a: Preparing",
        "b: Preparing",
        "a: Pushing",
        "b: Layer already exists",
        "a: Pushed",
        "1: digest: sha256:0 size: 1",
    ]
    assert progress.digest == "sha256:0"


@pytest.mark.parametrize("tag", [{"id": "v1"}, {}])
def test_an_engine_that_tells_the_digest_in_words_alone_is_understood(tag: dict[str, str]) -> None:
    """As those with the containerd store do."""
    progress = Progress()
    digest = "sha256:" + "0b" * 32
    words = f"digest: {digest} size: 1403"
    progress.line({"status": words, **tag} if tag else {"status": f"v1: {words}"})
    assert progress.digest == digest


def test_lines_are_whole_however_the_messages_are_cut() -> None:
    lines: list[str] = []
    output = Output(lines.append)
    for text in ("Step 1/2 : FROM x\n", " ---> ", "abc\r\n", "no newline"):
        output.take({"stream": text})
    output.finish()
    assert lines == ["Step 1/2 : FROM x", " ---> abc", "no newline"]


def test_the_image_is_the_aux_id_or_what_was_successfully_built() -> None:
    output = Output(lambda line: None)
    output.take({"stream": "Successfully built 0123456789ab\n"})
    assert output.image == "0123456789ab"
    output.take({"aux": {"ID": "sha256:ff"}})
    assert output.image == "sha256:ff"


def test_an_error_ends_the_build_after_the_output_before_it() -> None:
    lines: list[str] = []
    output = Output(lines.append)
    output.take({"stream": "last words"})
    error = {"errorDetail": {"code": 7, "message": "returned a non-zero code: 7"}, "error": "x"}
    with pytest.raises(BuildFailed, match="returned a non-zero code: 7"):
        output.take(error)
    assert lines == ["last words"]


@pytest.mark.parametrize(
    ("repository", "registry"),
    [
        ("busybox", "docker.io"),
        ("me/app", "docker.io"),
        ("quay.io/me/app", "quay.io"),
        ("localhost/app", "localhost"),
        ("host:5000/app", "host:5000"),
    ],
)
def test_the_registry_of_a_repository(repository: str, registry: str) -> None:
    assert registry_of(repository) == registry


def test_a_line_of_packed_json_is_not_cut() -> None:
    """A secret in it would be cut as well, and be shown in two halves."""
    lines: list[str] = []
    output = Output(lines.append)
    for _ in range(100_000):
        output.take({"stream": "packed----"})
    output.take({"stream": "\n"})
    assert lines == ["packed----" * 100_000]


def test_a_line_without_end_is_shown_in_pieces() -> None:
    """Kept whole, each message costs the copy of all before it: 16 MB take a minute."""
    lines: list[str] = []
    output = Output(lines.append)
    for _ in range(300):
        output.take({"stream": "x" * 8192})
    assert lines
    output.take({"stream": "y\nz"})
    output.finish()
    assert "".join(lines) == "x" * 2_457_600 + "yz"
    assert lines[-1] == "z"
    assert max(map(len, lines)) <= LONGEST_LINE + 8192
