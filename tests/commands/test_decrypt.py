from __future__ import annotations

import base64
import io
import json
import stat
from pathlib import Path

import pytest

from longshore.commands.decrypt import decrypt
from longshore.environment import Environment
from longshore.errors import DecryptionFailed, InvalidValue, KeyUnavailable
from longshore.secrets import envelope
from longshore.secrets.atomic_file import StandardStreams
from longshore.secrets.envelope import Format
from longshore.secrets.key import AesKey
from longshore.secrets.key_lookup import KeySource

KEY = AesKey(bytes(range(32)))
WRONG = AesKey(bytes(32))
VECTOR = Path(__file__).parents[2].parent / "shared" / "vectors" / "aes-v1.json"
PLAIN = b"FOO=bar\n" * 20


def run(
    directory: Path,
    target: str,
    *,
    text: bytes,
    key: AesKey | None = KEY,
    binary: bool = False,
    stdout: io.BytesIO | None = None,
) -> int:
    variables = {"CODESHIP_AES_KEY": key.reveal_text()} if key else {}
    return decrypt(
        source="-",
        target=target,
        keys=KeySource(environment=Environment(variables), directory=directory),
        binary=binary,
        streams=StandardStreams(stdin=io.BytesIO(text), stdout=stdout or io.BytesIO()),
    )


@pytest.mark.parametrize("kind", Format)
def test_a_file_is_decrypted_for_its_owner_alone(tmp_path: Path, kind: Format) -> None:
    target = tmp_path / "env"
    target.write_bytes(b"old")
    target.chmod(0o666)
    assert run(tmp_path, str(target), text=envelope.encrypt(PLAIN, KEY, kind)) == 0
    assert target.read_bytes() == PLAIN
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_the_published_example_decrypts_with_its_key_file(tmp_path: Path) -> None:
    vector = json.loads(VECTOR.read_text())
    (tmp_path / "key.key").write_text(vector["key_base64"] + "\n")
    (tmp_path / "environment.encrypted").write_text(vector["ciphertext_base64"])
    stdout = io.BytesIO()
    keys = KeySource(environment=Environment({}), directory=tmp_path, key_path=tmp_path / "key.key")
    streams = StandardStreams(stdin=io.BytesIO(), stdout=stdout)
    source = str(tmp_path / "environment.encrypted")
    assert decrypt(source=source, target="-", keys=keys, binary=False, streams=streams) == 0
    assert stdout.getvalue().decode() == vector["plaintext"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (envelope.encrypt(PLAIN, KEY), "wrong key, or the file was changed"),
        (
            envelope.encrypt(PLAIN, KEY, Format.JET_V1),
            r"^cannot decrypt - with CODESHIP_AES_KEY: wrong key\?$",
        ),
        (
            b"codeship:v2\n" + base64.b64encode(bytes(200)),
            "checksum for decrypted data is invalid, corrupt AES key or data",
        ),
        (b"FOO=bar\n", "it is not an encrypted file"),
    ],
    ids=["longshore", "jet v1", "jet v2", "plain"],
)
def test_with_a_wrong_key_the_old_file_stays_as_it_was(
    text: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "env").write_bytes(b"old")
    stdout = io.BytesIO()
    for target in (str(tmp_path / "env"), "-"):
        with pytest.raises(DecryptionFailed, match=words):
            run(tmp_path, target, text=text, key=WRONG, stdout=stdout)
    assert (tmp_path / "env").read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [tmp_path / "env"]
    assert stdout.getvalue() == b""


def test_without_a_key_nothing_is_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="No AES key provided"):
        run(tmp_path, str(tmp_path / "env"), text=envelope.encrypt(PLAIN, KEY), key=None)
    assert list(tmp_path.iterdir()) == []


def test_any_file_can_be_decrypted_from_jet_s_first_format_when_told_so(tmp_path: Path) -> None:
    noise = bytes(range(255, -1, -1))
    text = envelope.encrypt(noise, KEY, Format.JET_V1)
    with pytest.raises(DecryptionFailed) as caught:
        run(tmp_path, str(tmp_path / "x"), text=text)
    assert "--binary" in (caught.value.hint or "")
    assert run(tmp_path, str(tmp_path / "x"), text=text, binary=True) == 0
    assert (tmp_path / "x").read_bytes() == noise


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="cannot write"):
        run(tmp_path, str(tmp_path / "none" / "x"), text=envelope.encrypt(PLAIN, KEY))
