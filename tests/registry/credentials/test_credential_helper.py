from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from longshore.errors import RegistryError
from longshore.registry.credentials.credential_helper import CredentialHelper

MakeHelper = Callable[[str, str], None]


def helper(tmp_path: Path, name: str = "x", timeout: float = 20) -> CredentialHelper:
    path = f"{tmp_path / 'bin'}:/usr/bin:/bin"
    return CredentialHelper(name=name, environment={"PATH": path}, timeout=timeout)


async def test_a_helper_is_asked_on_standard_input(tmp_path: Path, make_helper: MakeHelper) -> None:
    make_helper(
        "x",
        f'echo "$@" > {tmp_path}/arguments\nread server\n'
        'printf \'{"ServerURL":"%s","Username":"u-%s","Secret":"hunter2"}\' "$server" "$server"',
    )
    found = await helper(tmp_path).get("https://quay.io")
    assert found is not None
    assert found.username == "u-https://quay.io"
    assert found.password is not None
    assert found.password.reveal() == "hunter2"
    assert found.origin == "docker-credential-x"
    assert (tmp_path / "arguments").read_text() == "get\n"


async def test_the_user_token_means_an_identity_token(
    tmp_path: Path, make_helper: MakeHelper
) -> None:
    make_helper("x", """echo '{"Username":"<token>","Secret":"ey.x"}'""")
    found = await helper(tmp_path).get("quay.io")
    assert found is not None
    assert found.password is None
    assert found.identity_token is not None
    assert found.identity_token.reveal() == "ey.x"


@pytest.mark.parametrize(
    "body",
    [
        "echo credentials not found in native keychain; exit 1",
        "echo Credentials not found >&2; exit 1",
        """echo '{"Username":"","Secret":""}'""",
    ],
)
async def test_nothing_found_is_no_error(
    body: str, tmp_path: Path, make_helper: MakeHelper
) -> None:
    make_helper("x", body)
    assert await helper(tmp_path).get("quay.io") is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo 'keychain is locked' >&2; exit 1", "failed for quay.io: keychain is locked"),
        ("exit 3", "failed for quay.io: it gave no reason"),
        ("echo hunter2", "gave an answer that is not a JSON object"),
        ("echo '[\"hunter2\"]'", "gave an answer that is not a JSON object"),
        ("printf '\\377\\000'", "gave an answer that is not a JSON object"),
        ("""echo '{"Secret":"hunter2"}'""", "gave an answer without Username and Secret"),
        ("sleep 60", "did not answer within 0.5 seconds"),
    ],
)
async def test_a_helper_that_fails_is_told_without_its_answer(
    body: str, words: str, tmp_path: Path, make_helper: MakeHelper
) -> None:
    make_helper("x", body)
    with pytest.raises(RegistryError) as caught:
        await helper(tmp_path, timeout=0.5 if "sleep" in body else 20).get("quay.io")
    assert caught.value.message.startswith('the credential helper "docker-credential-x" ')
    assert words in caught.value.message
    assert "hunter2" not in caught.value.message
    assert "--no-user-credentials" in (caught.value.hint or "")


async def test_a_helper_that_is_missing_or_cannot_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="is not installed, or not in PATH"):
        await helper(tmp_path, "none").get("quay.io")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "docker-credential-x").write_text("no program")
    with pytest.raises(RegistryError, match="could not be used: Permission denied"):
        await helper(tmp_path).get("quay.io")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "-x", "a b", "a\0b"])
async def test_names_that_are_no_program_s_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="is not the name of a program"):
        await helper(tmp_path, name).get("quay.io")


async def test_a_helper_that_does_not_read_its_question_is_no_trouble(
    tmp_path: Path, make_helper: MakeHelper
) -> None:
    make_helper("x", """exec 0<&-; echo '{"Username":"u","Secret":"s"}'""")
    for _ in range(20):
        assert await helper(tmp_path).get("quay.io") is not None


async def test_the_registries_a_helper_knows_are_listed(
    tmp_path: Path, make_helper: MakeHelper
) -> None:
    make_helper("x", """[ "$1" = list ] && echo '{"https://quay.io":"u","gcr.io":"v"}'""")
    assert await helper(tmp_path).list() == ("https://quay.io", "gcr.io")
    make_helper("x", "echo not implemented; exit 1")
    with pytest.raises(RegistryError, match="cannot list: not implemented"):
        await helper(tmp_path).list()


async def test_a_cancelled_question_ends_the_helper(
    tmp_path: Path, make_helper: MakeHelper
) -> None:
    make_helper("x", f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with anyio.move_on_after(1) as scope:
        await helper(tmp_path).get("quay.io")
    assert scope.cancelled_caught
    process = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{process}").exists()
