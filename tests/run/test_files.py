"""Env files and encrypted texts of a project: what is masked, told and refused."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from longshore.config.problem import Place
from longshore.errors import InvalidValue
from longshore.oci.reference import ImageReference
from longshore.plan.model import BuildPlan
from longshore.run.files import LARGEST, ProjectFiles
from longshore.secrets.envelope import Format, encrypt
from longshore.secrets.key import AesKey, generate_key
from longshore.secrets.masking import Masker

KEY = generate_key()


def project_files(warnings: list[str] | None = None) -> ProjectFiles:
    told: list[str] = [] if warnings is None else warnings
    return ProjectFiles(lambda: KEY, Masker(), told.append)


def sealed(path: Path, text: bytes, key: AesKey = KEY) -> Path:
    path.write_bytes(encrypt(text, key))
    return path


def test_the_key_itself_is_masked_once_it_was_used(tmp_path: Path) -> None:
    files = project_files()
    files.encrypted_env_file(sealed(tmp_path / "env", b"A=4711-secret\n"))
    text = KEY.reveal_text()
    twice = base64.b64encode(text.encode()).decode()
    assert files.masker.mask_text(f"{text} {twice} 4711-secret") == "*** *** ***"


def test_what_is_odd_in_a_file_is_told_once_however_often_it_is_read(tmp_path: Path) -> None:
    told: list[str] = []
    files = project_files(told)
    path = tmp_path / "env"
    path.write_text("export A=b\nC: d\n")
    for _ in range(3):
        files.env_file(path)
    assert [line.partition(": ")[0] for line in told] == ["env:1", "env:2"]


def test_an_env_file_that_is_no_text_is_refused_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(InvalidValue, match="is not UTF-8 text") as caught:
        project_files().env_file(path)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_nul_character_in_an_env_file_is_told_with_its_line(
    tmp_path: Path, encrypted: bool
) -> None:
    """Engines refuse it in the middle of the run, and name no file."""
    path, files = tmp_path / "env", project_files()
    content = b"A=1\n# \nB=2\x003\n"
    path.write_bytes(encrypt(content, KEY) if encrypted else content)
    with pytest.raises(InvalidValue, match=r"^env: line 3 holds a NUL character"):
        (files.encrypted_env_file if encrypted else files.env_file)(path)


@pytest.mark.parametrize("text_format", list(Format))
def test_an_encrypted_file_is_refused_where_a_plain_one_is_named(
    tmp_path: Path, text_format: Format
) -> None:
    """K-34: the service would run with empty variables, or with one that nobody can read."""
    path = tmp_path / "env"
    for content in (b"", b"A=1\n", b"A=1\nB=2\n" * 99):
        path.write_bytes(encrypt(content, KEY, text_format) + b"\n")
        with pytest.raises(InvalidValue, match="is encrypted") as caught:
            project_files().env_file(path)
        assert caught.value.hint == "the key for it is encrypted_env_file"


def test_a_plain_env_file_is_not_taken_for_an_encrypted_one(tmp_path: Path) -> None:
    path = tmp_path / "env"
    for text in ("HOME", "AVERYLONGNAMEOFAVARIABLE", "HOME\nPATH\nUSER\nHOST\nLANG\nTERM\nPWDs"):
        path.write_text(text)
        assert [name for name, _ in project_files().env_file(path)] == text.split()


def test_what_may_be_the_end_of_a_secret_is_not_told_as_a_name(tmp_path: Path) -> None:
    files = project_files()
    files.encrypted_env_file(sealed(tmp_path / "env", b"BLOB=aGVsbG8gd29y\naHVudGVyMg==\nA=b\n"))
    assert files.masker.unmasked_names == ("A",)


def test_what_stands_before_the_equals_sign_in_a_piece_of_a_secret_is_masked(
    tmp_path: Path,
) -> None:
    """Somebody has written JSON on several lines, and its base64 is padded."""
    pieces = b'LOGINS={\n  "auth": "aHVudGVyMg==",\n  "url": "https://x/token-4711?n=1234"\n}\n'
    files = project_files()
    pairs = files.encrypted_env_file(sealed(tmp_path / "env", pieces))
    shown = files.masker.mask_text(f"{pairs} {files.masker.unmasked_names}")
    assert "aHVudGVy" not in shown
    assert "4711" not in shown
    assert "LOGINS" in shown


def build(tmp_path: Path) -> BuildPlan:
    return BuildPlan(
        key="k",
        name=ImageReference.parse("x/y"),
        context=tmp_path,
        dockerfile=tmp_path / "Dockerfile",
        arguments=(("A", "plain"), ("B", "plain"), ("C", "plain")),
        encrypted_arguments=encrypt(b"B=inline-b\n", KEY).decode(),
        encrypted_argument_files=(sealed(tmp_path / "args", b"B=of-file\nC=of-file\nD\n"),),
        service="app",
        place=Place("codeship-services.yml"),
    )


def test_encrypted_arguments_beat_plain_ones_and_inline_ones_beat_files(tmp_path: Path) -> None:
    arguments, secrets = project_files().build_values(build(tmp_path), as_secrets=False)
    assert dict(arguments) == {"A": "plain", "B": "inline-b", "C": "of-file"}
    assert secrets == ()


def test_as_build_secrets_they_are_no_arguments_at_all(tmp_path: Path) -> None:
    arguments, secrets = project_files().build_values(build(tmp_path), as_secrets=True)
    assert dict(arguments) == {"A": "plain"}
    assert dict(secrets) == {"B": "inline-b", "C": "of-file"}


def test_what_may_never_end_is_refused_and_not_read(tmp_path: Path) -> None:
    """A repository can hold a link to a device; who only validates it must not wait for ever."""
    pipe, device = tmp_path / "pipe", tmp_path / "device"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(InvalidValue, match=r"env_file .* is a pipe or a device"):
            project_files().encrypted_env_file(path)


def test_the_null_device_is_an_empty_env_file() -> None:
    assert project_files().env_file(Path(os.devnull)) == ()


def test_a_file_far_too_large_for_an_environment_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "env"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(InvalidValue, match="has more than 16 MiB"):
        project_files().env_file(path)
