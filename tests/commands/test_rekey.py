from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from longshore.commands.rekey import rekey
from longshore.errors import DecryptionFailed, InvalidValue, KeyUnavailable, UsageError
from longshore.secrets import envelope
from longshore.secrets.envelope import Format
from longshore.secrets.key import AesKey

OLD = AesKey(bytes(range(32)))
NEW = AesKey(bytes(range(1, 33)))


class Run:
    """A directory with both keys, and what the command said."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.said: list[str] = []
        (directory / "old.aes").write_text(OLD.reveal_text())
        (directory / "new.aes").write_text(NEW.reveal_text() + "\n")

    def file(self, name: str, plain: bytes, kind: Format = Format.LONGSHORE) -> Path:
        path = self.directory / name
        path.write_bytes(envelope.encrypt(plain, OLD, kind))
        return path

    def __call__(
        self,
        *files: Path,
        kind: Format = Format.LONGSHORE,
        old: str = "old.aes",
        new: str = "new.aes",
        binary: bool = False,
    ) -> int:
        return rekey(
            old=self.directory / old,
            new=self.directory / new,
            files=files,
            format=kind,
            binary=binary,
            out=self.said.append,
        )

    @property
    def everything(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.directory.iterdir()}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.mark.parametrize("kind", Format)
def test_files_of_every_format_get_the_new_key_and_keep_their_mode(run: Run, kind: Format) -> None:
    one = run.file("one", b"A=1\n")
    two = run.file("two", b"B=2\n" * 20, Format.JET_V1)
    one.chmod(0o640)
    assert run(one, two, one, kind=kind) == 0
    assert envelope.decrypt(one.read_bytes(), NEW, "x") == b"A=1\n"
    assert envelope.decrypt(two.read_bytes(), NEW, "x") == b"B=2\n" * 20
    assert one.read_bytes().startswith(b"longshore:") == (kind is Format.LONGSHORE)
    assert stat.S_IMODE(one.stat().st_mode) == 0o640
    assert run.said == [f"{one}: has the new key", f"{two}: has the new key"]
    assert len(run.everything) == 4


def test_when_one_file_cannot_be_decrypted_none_is_changed(run: Run) -> None:
    good = run.file("good", b"A=1\n")
    bad = run.file("bad", b"B=2\n")
    bad.write_bytes(bad.read_bytes()[:-5] + b"AAA.\n")
    before = run.everything
    with pytest.raises(DecryptionFailed, match=r"cannot decrypt .*bad"):
        run(good, bad)
    assert run.everything == before
    assert run.said == []


def test_noise_from_a_wrong_old_key_never_replaces_a_file(run: Run) -> None:
    legacy = run.file("legacy", b"SECRET=hunter2 and more\n", Format.JET_V1)
    (run.directory / "wrong.aes").write_text(AesKey(bytes(32)).reveal_text())
    before = run.everything
    with pytest.raises(DecryptionFailed, match=r"cannot decrypt .*legacy with .*wrong\.aes"):
        run(legacy, old="wrong.aes")
    assert run.everything == before


def test_when_a_replacement_fails_those_before_it_are_undone(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [run.file(f"file{number}", b"A=%d\n" % number) for number in range(4)]
    before = run.everything
    replace = os.replace
    failing = files[2]

    # The disk is what fails here, not our code: renaming onto one file is refused.
    def replaced(self: Path, target: Path) -> Path:
        if Path(target) == failing:
            raise OSError(28, "No space left on device")
        replace(self, target)
        return Path(target)

    monkeypatch.setattr(Path, "replace", replaced)
    with pytest.raises(InvalidValue, match=r"cannot write .*: No space left on device"):
        run(*files)
    monkeypatch.undo()
    assert run.everything == before


def test_a_run_that_was_cut_off_is_finished_by_the_same_command(run: Run) -> None:
    one, two = run.file("one", b"A=1\n"), run.file("two", b"B=2\n")
    run(one)
    done = one.read_bytes()
    run.said.clear()
    assert run(one, two) == 0
    assert one.read_bytes() == done
    assert envelope.decrypt(two.read_bytes(), NEW, "x") == b"B=2\n"
    assert run.said == [f"{one}: had the new key already", f"{two}: has the new key"]


def test_binary_files_in_jet_s_first_format_need_to_be_announced(run: Run) -> None:
    noise = run.file("noise", bytes(range(256)), Format.JET_V1)
    with pytest.raises(DecryptionFailed, match=r"wrong key\?"):
        run(noise)
    before = noise.read_bytes()
    assert run(noise, binary=True) == 0
    assert envelope.decrypt(noise.read_bytes(), NEW, "x") == bytes(range(256))
    kept = noise.with_name("noise.before-rekey")
    assert kept.read_bytes() == before
    assert run.said == [f"{noise}: has the new key; {kept} is what it was"]


def test_what_nothing_can_tell_the_key_of_is_not_given_the_new_key_twice(run: Run) -> None:
    noise = run.file("noise", bytes(range(256)), Format.JET_V1)
    run(noise, kind=Format.JET_V1, binary=True)
    done = run.everything
    with pytest.raises(UsageError, match="it may have the new key already"):
        run(noise, kind=Format.JET_V1, binary=True)
    assert run.everything == done


def test_binary_changes_nothing_for_files_that_show_which_key_they_have(run: Run) -> None:
    text = run.file("text", b"A=1\nPASS=hunter2\n", Format.JET_V1)
    run(text, kind=Format.JET_V1, binary=True)
    done = run.everything
    assert run(text, kind=Format.JET_V1, binary=True) == 0
    assert run.everything == done
    assert run.said[-1] == f"{text}: had the new key already"


def test_two_equal_keys_and_missing_keys_are_refused(run: Run) -> None:
    one = run.file("one", b"A=1\n")
    with pytest.raises(UsageError, match="hold the same key"):
        run(one, new="old.aes")
    with pytest.raises(KeyUnavailable, match=r"gone\.aes does not exist"):
        run(one, new="gone.aes")
    with pytest.raises(InvalidValue, match="cannot read"):
        run(one, run.directory / "missing")
    assert envelope.decrypt(one.read_bytes(), OLD, "x") == b"A=1\n"


def test_a_loop_of_links_is_told(run: Run) -> None:
    loop = run.directory / "loop"
    loop.symlink_to("loop")
    with pytest.raises(InvalidValue, match="loop"):
        run(loop)
