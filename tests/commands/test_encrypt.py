from __future__ import annotations

import io
import stat
import subprocess
from pathlib import Path

import pytest

from longshore.commands.encrypt import encrypt
from longshore.environment import Environment
from longshore.errors import InvalidValue, KeyUnavailable, UsageError
from longshore.secrets import envelope
from longshore.secrets.atomic_file import StandardStreams
from longshore.secrets.envelope import Format
from longshore.secrets.key import AesKey
from longshore.secrets.key_lookup import KeySource

KEY = AesKey(bytes(range(32)))


class Run:
    """One project directory and what the command said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        self.stdout = io.BytesIO()

    def __call__(
        self, source: str, target: str, *, kind: Format = Format.LONGSHORE, stdin: bytes = b""
    ) -> int:
        return encrypt(
            source=source,
            target=target,
            keys=KeySource(environment=Environment({}), directory=self.directory),
            format=kind,
            streams=StandardStreams(stdin=io.BytesIO(stdin), stdout=self.stdout),
            out=self.said.append,
        )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "codeship.aes").write_text(KEY.reveal_text())
    return Run(tmp_path)


@pytest.mark.parametrize("kind", Format)
def test_a_file_is_encrypted_for_everybody_to_read(run: Run, kind: Format) -> None:
    plain = b"FOO=bar\n"
    (run.directory / "env").write_bytes(plain)
    assert run("env", "env.encrypted", kind=kind) == 0
    target = run.directory / "env.encrypted"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert envelope.decrypt(target.read_bytes(), KEY, "x") == plain
    assert target.read_bytes().startswith(b"longshore:") == (kind is Format.LONGSHORE)
    assert run.said == [
        "Use it in codeship-services.yml: encrypted_env_file: env.encrypted",
        "or, for the build alone, below build: encrypted_args_file: env.encrypted",
    ]


def test_a_hyphen_is_standard_input_and_output_and_nothing_else_is_said(run: Run) -> None:
    assert run("-", "-", stdin=b"FOO=bar") == 0
    assert envelope.decrypt(run.stdout.getvalue(), KEY, "x") == b"FOO=bar"
    assert run.said == []


def test_the_line_for_credentials_and_for_other_files_is_another(run: Run) -> None:
    run("-", "cfg.encrypted", stdin=b' {"auths": {}}')
    run("-", "logo.encrypted", stdin=b"\x89PNG\r\n\x1a\n\xff")
    run("-", "utf-16.encrypted", stdin=b"A\0=\0b\0\n\0")
    assert run.said == [
        "Use it in a push step or a service: encrypted_dockercfg_path: cfg.encrypted",
        "Any file can be encrypted; get this one back with: longshore decrypt logo.encrypted FILE",
        "Any file can be encrypted; get this one back with: longshore decrypt utf-16.encrypted "
        "FILE",
    ]


def test_what_is_odd_in_an_environment_file_is_told_without_values(run: Run) -> None:
    run("-", "env.encrypted", stdin=b"A=1\nB=2\nexport C=hunter2\n")
    assert run.said[0] == (
        'warning: line 3: "export" before "C" is ignored: this is not a shell script'
    )
    assert not any("hunter2" in line for line in run.said)


def test_a_plain_text_or_a_key_that_git_tracks_is_warned_of(run: Run) -> None:
    (run.directory / "env").write_bytes(b"FOO=bar\n")
    (run.directory / "safe").write_bytes(b"FOO=bar\n")
    subprocess.run(["git", "init", "-q"], check=True)
    subprocess.run(["git", "add", "env", "codeship.aes"], check=True)
    run("env", "env.encrypted")
    warnings = [line for line in run.said if line.startswith("warning: git tracks")]
    assert [line.split(",")[0] for line in warnings] == [
        "warning: git tracks env",
        f"warning: git tracks {run.directory / 'codeship.aes'}",
    ]
    run.said.clear()
    run("safe", "safe.encrypted")
    assert len([line for line in run.said if "git tracks" in line]) == 1


def test_without_a_key_nothing_is_written(run: Run) -> None:
    (run.directory / "codeship.aes").unlink()
    with pytest.raises(KeyUnavailable, match="No AES key provided"):
        run("-", "out", stdin=b"x")
    assert not (run.directory / "out").exists()


def test_an_input_that_cannot_be_read_is_told(run: Run) -> None:
    with pytest.raises(InvalidValue, match="cannot read none: No such file or directory"):
        run("none", "out")
    assert not (run.directory / "out").exists()


def test_swapped_names_do_not_destroy_the_plain_file(run: Run) -> None:
    (run.directory / "env").write_bytes(b"FOO=bar\n")
    run("env", "env.encrypted")
    with pytest.raises(UsageError, match=r"env\.encrypted is encrypted already"):
        run("env.encrypted", "env")
    assert (run.directory / "env").read_bytes() == b"FOO=bar\n"


def test_the_key_is_never_overwritten(run: Run) -> None:
    (run.directory / "link").symlink_to("codeship.aes")
    for target in ("codeship.aes", "./codeship.aes", "link"):
        with pytest.raises(UsageError, match="is the AES key itself"):
            run("-", target, stdin=b"FOO=bar\n")
    assert (run.directory / "codeship.aes").read_text() == KEY.reveal_text()
