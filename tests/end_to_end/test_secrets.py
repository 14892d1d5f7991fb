"""Encrypted files and registry credentials in real runs: what works, and what is told."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Iterator

import anyio.from_thread
import pytest

from longshore.secrets.envelope import Format
from longshore.secrets.key import generate_key
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TokenAuth

from .conftest import User, Vault

pytestmark = pytest.mark.registry

CREDENTIALS = "/tmp/credentials/codeship-dockercfg"  # of the generator's container
DOCKERFILE = """
    FROM longshore-test/busybox AS early
    ARG INLINE_ARG
    ARG FILE_ARG
    RUN printf "%s|%s" "$INLINE_ARG" "$FILE_ARG" | sha256sum > /sums
    FROM longshore-test/busybox
    COPY --from=early /sums /sums
    """

Registry = tuple[str, tuple[str, ...]]
"""The host of a registry that bob may push to, and the flags with which it is reached."""


@pytest.fixture
def token_registry(vault: Vault) -> Iterator[Registry]:
    """A registry whose token server knows bob."""
    auth = TokenAuth(users={"bob": vault.password})
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(faulty_registry(auth=auth)) as registry,
    ):
        yield registry.host, ()


@pytest.mark.parametrize("name", ["password_registry", "token_registry"])
def test_a_pipeline_with_every_kind_of_secret_runs_and_pushes(
    user: User, vault: Vault, request: pytest.FixtureRequest, name: str
) -> None:
    registry: Registry = request.getfixturevalue(name)
    host, flags = registry
    vault.file("env.encrypted", "FROM_FILE=file-value\n", Format.JET_V1)
    vault.file("args.encrypted", "FILE_ARG=file-arg\nINLINE_ARG=beaten\n")
    vault.file("dockercfg.encrypted", vault.dockercfg(f"https://{host}/v2/"), Format.JET_V1)
    vault.file("generator.encrypted", f"CFG={vault.dockercfg(host)}\n")
    user.write("app/Dockerfile", DOCKERFILE)
    user.write(
        "codeship-services.yml",
        "app:\n"
        "  build:\n"
        f"    image: longshore-test/secrets-{name}\n"
        "    context: app\n"
        f"    encrypted_args: {vault.inline('INLINE_ARG=inline-arg')}\n"
        "    encrypted_args_file: args.encrypted\n"
        "  encrypted_env_file: env.encrypted\n"
        f"  encrypted_environment: {{INLINE: {vault.inline('inline-value')}}}\n"
        f"{vault.generator}",
    )
    push = f"service: app, type: push, image_name: {host}/team/app"
    user.write(
        "codeship-steps.yml",
        f"""
        - {{service: app, command: sh -c 'cat /sums; echo $FROM_FILE $INLINE | sha256sum'}}
        - {{{push}, image_tag: one, encrypted_dockercfg_path: dockercfg.encrypted}}
        - {{{push}, image_tag: two, dockercfg_service: generator}}
        """,
    )
    checked = user.run("login-check", *flags)
    assert checked.returncode == 0, checked
    assert checked.stdout.count(f"push to {host}/team/app: success") == 2
    done = user.run("steps", "--push", *flags)
    assert done.returncode == 0, done
    assert hashlib.sha256(b"inline-arg|file-arg").hexdigest() in done.stdout
    assert hashlib.sha256(b"file-value inline-value\n").hexdigest() in done.stdout
    generated = f"(service: generator) (step: push_app_2) Writing Docker creds to {CREDENTIALS}"
    assert generated in done.stdout, done.stdout
    assert vault.password not in done.stdout + done.stderr


def test_an_encrypted_argument_that_stays_in_a_pushed_image_is_told_by_name(
    user: User, vault: Vault
) -> None:
    vault.file("args.encrypted", "TOKEN=4711-token\nOTHER=unused-value\n")
    user.write("app/Dockerfile", "FROM longshore-test/busybox\nARG TOKEN\nRUN touch /x\n")
    user.write(
        "codeship-services.yml",
        "app: {build: {image: longshore-test/stays, context: app, "
        "encrypted_args_file: args.encrypted}}\n",
    )
    push = "{service: app, type: push, image_name: 'localhost:1/x'}"
    user.write("codeship-steps.yml", f"- {push}\n- {push}\n")
    done = user.run("steps", "--push")
    said = done.stdout + done.stderr
    assert said.count('the encrypted build argument "TOKEN" stays readable in the history') == 1
    assert '"OTHER" stays' not in said
    assert "4711-token" not in said
    quiet = user.run("steps", "--push", "--build-secrets")
    assert "stays readable" not in quiet.stdout + quiet.stderr
    unpushed = user.run("steps")
    assert "stays readable" not in unpushed.stdout + unpushed.stderr


NEEDS_ENV = "app: {image: longshore-test/busybox, encrypted_env_file: env.encrypted}\n"


def write_key(user: User, text: str) -> None:
    (user.directory / "codeship.aes").write_text(text)


def no_key(user: User, vault: Vault) -> None:
    (user.directory / "codeship.aes").unlink()


def other_key(user: User, vault: Vault) -> None:
    write_key(user, generate_key().reveal_text())


def old_format_and_other_key(user: User, vault: Vault) -> None:
    vault.file("env.encrypted", f"TOKEN={'secret' * 20}\n", Format.JET_V1)
    other_key(user, vault)


def short_key(user: User, vault: Vault) -> None:
    write_key(user, base64.b64encode(b"x" * 16).decode())


def no_base64(user: User, vault: Vault) -> None:
    write_key(user, "this is not a key!")


def bad_checksum(user: User, vault: Vault) -> None:
    text = base64.b64encode(os.urandom(240)).decode()
    (user.directory / "env.encrypted").write_text(f"codeship:v2\n{text}")


def changed(user: User, vault: Vault) -> None:
    path = user.directory / "env.encrypted"
    data = bytearray(path.read_bytes())
    data[-20] = ord("B" if data[-20] == ord("A") else "A")  # still base64
    path.write_bytes(data)


def no_file(user: User, vault: Vault) -> None:
    (user.directory / "env.encrypted").unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_key, "Error: docker: no decryptor available\n"),
        (other_key, "cannot decrypt env.encrypted with codeship.aes: wrong key, or the file was"),
        (old_format_and_other_key, "cannot decrypt env.encrypted with codeship.aes: wrong key?"),
        (short_key, "jet: invalid AES key in codeship.aes: expected 32 bytes, got 16"),
        (no_base64, "jet: invalid AES key in codeship.aes: it is not base64"),
        (bad_checksum, "checksum for decrypted data is invalid, corrupt AES key or data"),
        (changed, "cannot decrypt env.encrypted with codeship.aes: wrong key, or the file was"),
        (no_file, "cannot read the encrypted_env_file"),
    ],
)
def test_what_a_key_or_file_cannot_do_stops_the_command_before_anything_starts(
    user: User, vault: Vault, spoil: Callable[[User, Vault], None], words: str
) -> None:
    vault.file("env.encrypted", f"TOKEN={'secret' * 20}\n")
    user.write("codeship-services.yml", NEEDS_ENV)
    user.write("codeship-steps.yml", "- {service: app, command: echo started}\n")
    spoil(user, vault)
    done = user.run("steps", DOCKER_HOST="unix:///nowhere")  # the engine is not even asked
    assert (done.returncode, done.stdout) == (2, ""), done
    assert words in done.stderr
    assert "codeship-services.yml:1:" in done.stderr
    assert "secretsecret" not in done.stderr


def test_a_key_with_blanks_and_newlines_or_in_the_environment_is_as_good(
    user: User, vault: Vault
) -> None:
    text = vault.key.reveal_text()
    vault.file("env.encrypted", "TOKEN=4711\n")
    user.write("codeship-services.yml", NEEDS_ENV)
    user.write("codeship-steps.yml", "- {service: app, command: sh -c 'echo $TOKEN | md5sum'}\n")
    expected = hashlib.md5(b"4711\n").hexdigest()  # no security: a fingerprint
    write_key(user, f" {text[:20]}\n{text[20:]}\r\n\n")
    assert expected in user.run("steps").stdout
    (user.directory / "codeship.aes").unlink()
    assert expected in user.run("steps", CODESHIP_AES_KEY=text).stdout


def test_steps_that_need_no_secrets_run_without_the_key(user: User) -> None:
    user.write("env.encrypted", "whatever")
    user.write("codeship-services.yml", NEEDS_ENV + "free: {image: longshore-test/busybox}\n")
    user.write(
        "codeship-steps.yml",
        "- {service: app, command: 'true', tag: never}\n- {service: free, command: echo fine}\n",
    )
    done = user.run("steps")
    assert (done.returncode, "fine" in done.stdout) == (0, True), done


PUSH = "- {{service: app, type: push, image_name: registry.invalid/x, {}}}\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"auths": {}} x', "Failed to parse dockercfg: invalid character 'x' after top-level"),
        (b"{", "Failed to parse dockercfg: unexpected end of JSON input"),
        (b'{"auths": {"other.example": {"auth": "Ym9iOnB3"}}}', "credentials for other.example"),
        (b'{"auths": {}, "credsStore": "osxkeychain"}', "longshore dockercfg --encrypt"),
    ],
)
def test_a_credentials_file_that_cannot_serve_a_push_stops_the_command(
    user: User, vault: Vault, content: bytes, words: str
) -> None:
    vault.file("dockercfg.encrypted", content.decode())
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
    user.write("codeship-steps.yml", PUSH.format("encrypted_dockercfg_path: dockercfg.encrypted"))
    done = user.run("steps", "--push")
    assert done.returncode == 2, done
    assert words in done.stderr
    assert "codeship-steps.yml:1:" in done.stderr


def test_a_dockercfg_decrypted_with_another_key_is_told_in_the_words_of_the_original(
    user: User, vault: Vault
) -> None:
    vault.file("dockercfg.encrypted", vault.dockercfg("registry.invalid"), Format.JET_V1)
    other_key(user, vault)
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
    user.write("codeship-steps.yml", PUSH.format("encrypted_dockercfg_path: dockercfg.encrypted"))
    done = user.run("steps", "--push")
    assert done.returncode == 2
    assert "Failed to parse dockercfg: invalid character" in done.stderr
    assert "the key may be another one" in done.stderr


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", "step push_app running service gen had exit code 3"),
        ("true", 'service "gen" wrote no dockercfg'),
        (": > $0", "Failed to parse dockercfg: unexpected end of JSON input"),
        ("echo nonsense > $0", "Failed to parse dockercfg: invalid character"),
        ("mkdir $0", "is not a regular file"),
        ("echo '{}' > $0", "which has credentials for no registry at all"),
    ],
)
def test_a_generator_that_fails_breaks_the_push_step_with_its_reason(
    user: User, script: str, words: str
) -> None:
    user.write(
        "codeship-services.yml",
        "app: {image: longshore-test/busybox}\n"
        f"gen: {{image: longshore-test/busybox, entrypoint: [sh, -c, {json.dumps(script)}]}}\n",
    )
    user.write("codeship-steps.yml", PUSH.format("dockercfg_service: gen"))
    done = user.run("steps", "--push")
    assert done.returncode == 1, done
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_an_image_to_pull_that_the_generator_itself_needs_is_not_waited_for(user: User) -> None:
    """The pull would wait for the generator, and the generator for the pull."""
    user.write(
        "codeship-services.yml",
        "app: {image: nowhere.invalid/x, dockercfg_service: gen}\n"
        "gen: {image: nowhere.invalid/x}\n",
    )
    user.write("codeship-steps.yml", "- {service: app, command: echo fine}\n")
    done = user.run("steps", "--step-timeout", "30")
    assert done.returncode == 1, done
    assert "image nowhere.invalid/x:latest not found" in done.stdout + done.stderr


def test_a_flag_that_names_no_service_is_told_before_anything_starts(user: User) -> None:
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
    user.write("codeship-steps.yml", PUSH.format(""))
    done = user.run("steps", "--push", "--dockercfg-service", "nope")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'there is no service "nope"' in done.stderr


def test_a_generator_for_all_steps_gets_no_generated_credentials_itself(
    user: User, vault: Vault
) -> None:
    """The flag counts for the generator's own build as well, and would wait for itself (P-34)."""
    vault.file("generator.encrypted", "CFG={}\n")
    user.write("app/Dockerfile", "FROM longshore-test/busybox\n")
    services = vault.generator.replace("image: longshore-test/busybox", "build: app")
    user.write("codeship-services.yml", "app: {build: {context: app, image: x/app}}\n" + services)
    user.write("codeship-steps.yml", "- {service: app, command: echo fine}\n")
    done = user.run("steps", "--dockercfg-service", "generator")
    assert done.returncode == 0, done
    assert done.stdout.count("Writing Docker creds") == 1


def test_a_generator_built_from_the_image_that_waits_for_it_gets_that_without_credentials(
    user: User,
) -> None:
    user.write("app/Dockerfile", "FROM longshore-test/busybox\n")
    script = "echo here I am; echo {} > $0"
    user.write("gen/Dockerfile", f"FROM x/app\nENTRYPOINT {json.dumps(['sh', '-c', script])}\n")
    user.write(
        "codeship-services.yml",
        "app: {build: {context: app, image: x/app}, dockercfg_service: gen}\n"
        "gen: {build: gen}\n"
        "other: {build: {context: app, image: x/other, args: {A: b}}, dockercfg_service: gen}\n",
    )
    user.write(
        "codeship-steps.yml",
        "- {service: app, command: echo fine}\n- {service: other, command: echo good}\n",
    )
    done = user.run("steps")
    assert done.returncode == 0, done
    assert done.stdout.count(") here I am\n") == 1
