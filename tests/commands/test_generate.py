from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from longshore.commands.generate import generate
from longshore.errors import InvalidValue, UsageError
from longshore.secrets.key_lookup import read_key


def test_a_key_is_written_for_its_owner_alone_and_not_shown(tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "codeship.aes"
    assert generate(path=path, force=False, out=said.append) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = read_key(path)
    assert path.read_text() == key.reveal_text()
    assert len(path.read_text()) == 44
    assert not any(key.reveal_text()[:8] in line for line in said)
    assert str(path) in said[0]


def test_a_key_is_not_written_to_a_file_that_is_called_as_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match='--key-path is "-"'):
        generate(path=Path("-"), force=True, out=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_key_is_replaced_only_with_force(tmp_path: Path) -> None:
    path = tmp_path / "codeship.aes"
    path.write_text("precious")
    with pytest.raises(UsageError, match="exists already") as caught:
        generate(path=path, force=False, out=lambda _: None)
    assert "--force" in (caught.value.hint or "")
    assert path.read_text() == "precious"
    assert generate(path=path, force=True, out=lambda _: None) == 0
    assert path.read_text() != "precious"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_in_a_repository_the_ignore_file_is_named_until_it_names_the_key(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    path = tmp_path / "codeship.aes"
    said: list[str] = []
    generate(path=path, force=False, out=said.append)
    assert any("Add codeship.aes to .gitignore" in line for line in said)
    subprocess.run(["git", "add", "codeship.aes"], cwd=tmp_path, check=True)
    said.clear()
    generate(path=path, force=True, out=said.append)
    assert any(line.startswith("warning: git tracks") for line in said)
    subprocess.run(["git", "rm", "-q", "-f", "--cached", "codeship.aes"], cwd=tmp_path, check=True)
    (tmp_path / ".gitignore").write_text("*.aes\n")
    said.clear()
    generate(path=path, force=True, out=said.append)
    assert len(said) == 1


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match=r"cannot write .*: No such file or directory"):
        generate(path=tmp_path / "none" / "k.aes", force=False, out=lambda _: None)
