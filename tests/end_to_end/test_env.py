"""`longshore env`: names and origins of what a service gets, values only when asked."""

from __future__ import annotations

import pytest

from longshore.secrets.envelope import encrypt
from longshore.secrets.key import generate_key
from longshore.secrets.key_lookup import read_key

from .conftest import User


@pytest.fixture
def project(user: User) -> User:
    key = generate_key()
    user.write("codeship.aes", key.reveal_text())
    user.write("plain.env", "B=plain-b\nC=plain-c\n")
    (user.directory / "sealed.env").write_bytes(encrypt(b"C=sealed-c\n", key))
    inline = encrypt(b"inline-d", key).decode().replace("\n", "\\n")
    user.write(
        "codeship-services.yml",
        f"""\
        app:
          image: longshore-test/busybox
          environment: {{A: plain-a, B: beaten}}
          env_file: plain.env
          encrypted_environment: {{D: "{inline}"}}
          encrypted_env_file: sealed.env
        """,
    )
    return user


def lines(text: str) -> set[str]:
    return {line for line in text.splitlines() if not line.startswith("CI")}


def test_names_and_the_source_that_wins_are_shown_but_no_value(project: User) -> None:
    done = project.run("env", "-e", "E=given", "app")
    assert lines(done.stdout) == {
        "A\tenvironment",
        "B\tenv_file plain.env",
        "C\tencrypted_env_file sealed.env",
        "D\tencrypted_environment",
        "E\t-e",
    }
    assert done.returncode == 0


def test_a_piece_of_a_value_of_several_lines_is_not_shown_as_a_name(project: User) -> None:
    key = read_key(project.directory / "codeship.aes")
    text = b'C={\n  "auth": "aHVudGVyMg=="\n}\n'
    (project.directory / "sealed.env").write_bytes(encrypt(text, key))
    done = project.run("env", "app")
    assert "***\tencrypted_env_file sealed.env" in lines(done.stdout)
    assert "aHVu" not in done.stdout + done.stderr
    assert '"auth": "aHVudGVyMg==' in project.run("env", "--reveal", "app").stdout


def test_reveal_shows_the_values_too(project: User) -> None:
    done = project.run("env", "--reveal", "app")
    assert "C=sealed-c\tencrypted_env_file sealed.env" in lines(done.stdout)
    assert "D=inline-d\tencrypted_environment" in lines(done.stdout)


def test_without_the_key_or_with_a_wrong_name_it_ends_with_2_and_a_sentence(project: User) -> None:
    wrong = project.run("env", "apq")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert 'did you mean "app"?' in wrong.stderr
    (project.directory / "codeship.aes").unlink()
    done = project.run("env", "app")
    assert (done.returncode, done.stdout) == (2, "")
    assert "docker: no decryptor available" in done.stderr
