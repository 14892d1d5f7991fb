"""validate tries what is encrypted when there is a key (spec E-15)."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from longshore.commands.project import ProjectChoice
from longshore.commands.validate import Validation, validate
from longshore.environment import Environment
from longshore.errors import KeyUnavailable
from longshore.plan.facts import BuildFacts
from longshore.report.diagnostics import Terminal
from longshore.report.sink import Sink
from longshore.secrets.envelope import Format, encrypt
from longshore.secrets.key import AesKey, generate_key

OURS, OTHER = generate_key(), generate_key()
SERVICES = """\
app:
  build:
    context: .
    encrypted_args: {args}
    encrypted_args_file: args.encrypted
  encrypted_env_file: [good.encrypted, env.encrypted]
  encrypted_environment:
    TOKEN: {value}
  encrypted_dockercfg_path: dockercfg.encrypted
"""
STEPS = """\
- service: app
  type: push
  image_name: quay.io/a/b
  encrypted_dockercfg_path: push.encrypted
"""


@pytest.fixture(params=list(Format))
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Everything that can be encrypted is, by another key, but for one file."""

    def closed(plain: bytes, key: AesKey = OTHER) -> bytes:
        return encrypt(plain, key, request.param)

    # So long that no wrong key makes text of it by chance (E-8).
    lines = b"A=" + 90 * b"x" + b"\n"
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "good.encrypted").write_bytes(closed(lines, OURS))
    for name in ("args", "env", "dockercfg", "push"):
        (tmp_path / f"{name}.encrypted").write_bytes(closed(lines))
    value, args = (" ".join(closed(lines).decode().split("\n")) for _ in range(2))
    (tmp_path / "codeship-services.yml").write_text(SERVICES.format(value=value, args=args))
    (tmp_path / "codeship-steps.yml").write_text(STEPS)
    return tmp_path


def validated(directory: Path, *, strict: bool = False, **variables: str) -> tuple[int, list[str]]:
    """The exit code, and the lines of standard output."""
    out = io.BytesIO()
    code = validate(
        ProjectChoice(directory=directory),
        BuildFacts(),
        Validation(strict=strict),
        Environment(variables),
        Sink(out, io.BytesIO()),
        Terminal(),
    )
    return code, out.getvalue().decode().splitlines()


def test_everything_the_key_does_not_open_is_a_warning_at_its_place(project: Path) -> None:
    (project / "codeship.aes").write_text(OTHER.reveal_text())
    code, lines = validated(project, LONGSHORE_AES_KEY=OURS.reveal_text())
    assert code == 0
    told = [line for line in lines if "LONGSHORE_AES_KEY" in line or "dockercfg" in line]
    places = [line.partition(": warning: ")[0].rpartition("codeship-")[2] for line in told]
    assert places == [
        "services.yml:4:21",
        "services.yml:5:26",
        "services.yml:6:40",
        "services.yml:8:12",
        "services.yml:9:29",
        "steps.yml:4:29",
    ]


@pytest.mark.parametrize(
    ("line", "places"), [("{}: '{}'", ("5:10", "6:11")), ("- '{}={}'", ("5:7", "6:7"))]
)
def test_each_value_that_cannot_be_decrypted_is_told_at_its_place(
    tmp_path: Path, line: str, places: tuple[str, str]
) -> None:
    good = encrypt(b"value", OURS, Format.JET_V1).decode()
    values = {"GOOD": good, "BAD": "abc", "BAD2": "#"}
    told = (line.format(name, value) for name, value in values.items())
    (tmp_path / "codeship-services.yml").write_text(
        "x:\n  image: busybox\n  encrypted_environment:\n    " + "\n    ".join(told) + "\n"
    )
    (tmp_path / "codeship-steps.yml").write_text("- {service: x, command: ls}\n")
    _, lines = validated(tmp_path, LONGSHORE_AES_KEY=OURS.reveal_text())
    found = [line.partition("codeship-services.yml:")[2] for line in lines if "decrypt " in line]
    assert [line.partition("service ")[0] for line in found] == [
        f'{place}: warning: cannot decrypt "{name}" in encrypted_environment of '
        for place, name in zip(places, ("BAD", "BAD2"), strict=True)
    ]


def test_strict_makes_them_errors(project: Path) -> None:
    code, lines = validated(project, strict=True, LONGSHORE_AES_KEY=OURS.reveal_text())
    assert code == 2
    assert any(": error: cannot decrypt env.encrypted" in line for line in lines)


def test_without_a_key_nothing_is_tried(project: Path) -> None:
    code, lines = validated(project)
    assert code == 0
    assert not any("decrypt" in line for line in lines)


def test_a_file_that_is_still_to_be_written_is_told_of_once(project: Path) -> None:
    (project / "env.encrypted").unlink()
    _, lines = validated(project, LONGSHORE_AES_KEY=OURS.reveal_text())
    assert len([line for line in lines if "env.encrypted" in line]) == 1


def test_a_file_of_a_name_that_no_file_can_have_is_not_there(project: Path) -> None:
    (project / "codeship-services.yml").write_text(SERVICES.replace("env.", "x" * 300 + "."))
    _, lines = validated(project, LONGSHORE_AES_KEY=OURS.reveal_text())
    assert any(line.endswith('" does not exist') for line in lines)


@pytest.mark.parametrize("text_format", list(Format))
def test_an_encrypted_file_named_as_a_plain_one_is_told_also_without_a_key(
    tmp_path: Path, text_format: Format
) -> None:
    (tmp_path / "codeship-services.yml").write_text(
        "app:\n  image: busybox\n  env_file: [plain, closed, missing, .]\n"
    )
    (tmp_path / "codeship-steps.yml").write_text("- {service: app, command: ls}\n")
    (tmp_path / "plain").write_text("A=1\n")
    (tmp_path / "closed").write_bytes(encrypt(b"A=1\n", OURS, text_format))
    code, lines = validated(tmp_path)
    assert code == 0
    (told,) = (line for line in lines if line.endswith("closed is encrypted"))
    assert ":3:21: warning: the env_file " in told
    assert not any("cannot read" in line for line in lines)


def test_a_key_that_is_none_is_one_error(project: Path) -> None:
    (project / "codeship.aes").write_text("no key")
    with pytest.raises(KeyUnavailable):
        validated(project)


def test_a_key_that_is_none_does_not_matter_where_nothing_is_encrypted(project: Path) -> None:
    (project / "codeship.aes").write_text("no key")
    (project / "codeship-services.yml").write_text("app: {build: .}\n")
    (project / "codeship-steps.yml").write_text("- {service: app, command: ls}\n")
    assert validated(project)[0] == 0
