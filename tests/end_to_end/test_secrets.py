"""Encrypted files and registry credentials in a real run, and the hunt for what leaks of them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import random
import string
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio.from_thread
import pytest

from longshore.secrets.envelope import Format, encrypt
from longshore.secrets.key import AesKey, generate_key
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_auth import TokenAuth
from longshore.testing.registry_process import Settings, run_registry

if TYPE_CHECKING:
    from conftest import User  # type: ignore[import-not-found]  # the folder's conftest

pytestmark = pytest.mark.registry

PASSWORD = "pass-Wort-9:ü"  # of a registry that lives for one test
CREDENTIALS = "/tmp/credentials/codeship-dockercfg"  # of the generator's container
DOCKERFILE = """
    FROM longshore-test/busybox AS early
    ARG INLINE_ARG
    ARG FILE_ARG
    RUN printf "%s|%s" "$INLINE_ARG" "$FILE_ARG" | sha256sum > /sums
    FROM longshore-test/busybox
    COPY --from=early /sums /sums
    """


class Vault:
    """The key of a project, and what is encrypted with it."""

    def __init__(self, user: User) -> None:
        self.key: AesKey = generate_key()
        self.user = user
        user.write("codeship.aes", self.key.reveal_text())

    def file(self, name: str, text: str, shape: Format = Format.LONGSHORE) -> None:
        """An encrypted file of the project."""
        (self.user.directory / name).write_bytes(encrypt(text.encode(), self.key, shape))

    def inline(self, text: str) -> str:
        """An encrypted text as a YAML value."""
        return json.dumps(encrypt(text.encode(), self.key, Format.JET_V1).decode())


@pytest.fixture
def vault(user: User) -> Vault:
    return Vault(user)


def dockercfg(host: str, password: str = PASSWORD) -> str:
    """A credentials file for one registry."""
    auth = base64.b64encode(f"bob:{password}".encode()).decode()
    return json.dumps({"auths": {host: {"auth": auth}}})


@contextmanager
def password_registry(folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Debian's registry with htpasswd and a certificate of its own authority."""
    with run_registry(folder, Settings(users={"bob": PASSWORD}, tls=True)) as process:
        yield process.host, ("--registry-ca", str(process.authority))


@contextmanager
def token_registry(folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A registry whose token server knows bob."""
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            faulty_registry(auth=TokenAuth(users={"bob": PASSWORD}))
        ) as registry,
    ):
        yield registry.host, ()


GENERATOR = """\
generator:
  image: longshore-test/busybox
  entrypoint: ["sh", "-c", "echo Writing Docker creds to $0; printf %s \\"$CFG\\" > $0"]
  encrypted_env_file: generator.encrypted
"""


@pytest.mark.parametrize("registry", [password_registry, token_registry])
def test_a_pipeline_with_every_kind_of_secret_runs_and_pushes(
    user: User, vault: Vault, tmp_path: Path, registry: Callable[..., Iterator[object]]
) -> None:
    with registry(tmp_path / "registry") as (host, flags):  # type: ignore[attr-defined]  # a context manager
        vault.file("env.encrypted", "FROM_FILE=file-value\n", Format.JET_V1)
        vault.file("args.encrypted", "FILE_ARG=file-arg\nINLINE_ARG=beaten\n")
        vault.file("dockercfg.encrypted", dockercfg(f"https://{host}/v2/"), Format.JET_V1)
        vault.file("generator.encrypted", f"CFG={dockercfg(host)}\n")
        user.write("app/Dockerfile", DOCKERFILE)
        user.write(
            "codeship-services.yml",
            "app:\n"
            "  build:\n"
            f"    image: longshore-test/secrets-{tmp_path.name}\n"
            "    context: app\n"
            f"    encrypted_args: {vault.inline('INLINE_ARG=inline-arg')}\n"
            "    encrypted_args_file: args.encrypted\n"
            "  encrypted_env_file: env.encrypted\n"
            f"  encrypted_environment: {{INLINE: {vault.inline('inline-value')}}}\n"
            f"{GENERATOR}",
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
    assert PASSWORD not in done.stdout + done.stderr


def shapes() -> Iterator[str]:
    """Secrets of one line, then some of several."""
    chance = random.Random(5)  # the same secrets in every run

    def some(letters: str, length: int) -> str:
        return "".join(chance.choice(letters) for _ in range(length))

    plain = string.ascii_letters + string.digits
    for _ in range(6):
        yield some(plain, chance.randrange(6, 60))
        yield base64.b64encode(chance.randbytes(chance.randrange(5, 40))).decode()
        yield f'{{"k": "{some(plain, 9)}", "n": [1, "{some(plain, 7)}\\"x"]}}'
        yield f"'{some(plain, 8)}\" $({some(plain, 4)}) \\{some(plain, 3)}"
        yield f"{some('äöüßéñ漢字🔑', 9)}{some(plain, 3)}"
        yield f"  {some(plain, 8)} {some(string.punctuation, 12)} "
        yield f"https://u:{some(plain, 12)}@host.example/?q={quote(some(string.punctuation, 9))}"
    lines = [some(plain + "+/", 64) for _ in range(4)]
    yield "-----BEGIN KEY-----\\n" + "\\n".join(lines) + "\\n-----END KEY-----"
    yield "\n".join(some(plain, 30) for _ in range(3))
    yield "-----BEGIN KEY-----\n" + "\n".join(some(plain + "+/", 64) for _ in range(5)) + "\n"
    yield some(plain, 22) + "\n"
    yield "\n" + some(plain, 12) + "\n\n"
    yield f"{some(plain, 8)}\r\n{some(plain, 9)}\r\n"
    yield f'{{\n  "private": "{some(plain, 40)}",\n  "id": 1\n}}\n'
    yield f"ab\n{some(plain, 10)}\ncd"


SECRETS = tuple(shapes())


def faces(secret: str) -> set[bytes]:
    """What a secret must not be seen as: itself, its telling lines, in base64, URL and JSON."""
    found: set[bytes] = set()
    whole = {secret, secret.strip(), secret.replace("\\n", "\n")}
    lines = {part for part in secret.replace("\\n", "\n").splitlines() if len(part) > 7}
    for text in whole | {line for line in lines if "KEY-----" not in line}:
        raw = text.encode()
        found |= {raw, quote(text, safe="").encode(), json.dumps(text)[1:-1].encode()}
        found |= {base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")}
    return {face for face in found if len(face) >= 6}


def hunt(where: str, data: bytes) -> list[str]:
    """Which secrets stand in `data`."""
    return [
        f"secret {number} ({face!r}) in {where}"
        for number, secret in enumerate((*SECRETS, PASSWORD))
        for face in faces(secret)
        if face in data
    ]


class Watch(threading.Thread):
    """Looks at command lines and environments of a process and its children while it lives."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.found: list[str] = []
        self.looks = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.02):
            for pid in self.family():
                for name in ("cmdline", "environ"):
                    try:
                        data = Path(f"/proc/{pid}/{name}").read_bytes()
                    except OSError:
                        continue
                    self.looks += 1
                    self.found += hunt(f"/proc/{pid}/{name}", data)

    def family(self) -> list[int]:
        found, waiting = [], [self.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    waiting += map(int, children.read_text().split())
                except OSError:
                    continue
        return found


def leaking_project(user: User, vault: Vault, host: str) -> None:
    """A pipeline that shows its secrets in every way it can."""
    single = [s for s in SECRETS if "\n" not in s]
    several = [s for s in SECRETS if "\n" in s]
    environment, arguments, inline = single[:25], single[25:35], [*single[35:], *several]
    vault.file("env.encrypted", "".join(f"E{i}={s}\n" for i, s in enumerate(environment)))
    vault.file("args.encrypted", "".join(f"A{i}={s}\n" for i, s in enumerate(arguments[:5])))
    vault.file("dockercfg.encrypted", dockercfg(host))
    vault.file("generator.encrypted", f"CFG={dockercfg(host)}\nSHORT=ab\nWORD=true\n")
    inlined = "".join(f"    I{i}: {vault.inline(s)}\n" for i, s in enumerate(inline))
    more = "".join(f"B{i}={s}\n" for i, s in enumerate(arguments[5:]))
    user.write(
        "codeship-services.yml",
        "app:\n  volumes: ['./faces:/faces']\n"
        f"  build: {{image: longshore-test/leaks, context: app, "
        f"encrypted_args: {vault.inline(more)}, encrypted_args_file: args.encrypted}}\n"
        "  encrypted_env_file: env.encrypted\n"
        f"  encrypted_environment:\n{inlined}{GENERATOR}",
    )
    names = [*(f"A{i}" for i in range(5)), *(f"B{i}" for i in range(5))]
    declared = "\n".join(f"ARG {name}" for name in names)
    shown = "\n".join(f'RUN echo "${name}"; printf %s "${name}" | base64' for name in names)
    base = "FROM longshore-test/busybox"
    (user.directory / "app").mkdir()
    (user.directory / "app/Dockerfile").write_text(
        f"{base} AS early\n{declared}\n{shown}\nRUN : > /done\n"
        f"{base}\nCOPY --from=early /done /done\nRUN touch /really\n"
    )
    (user.directory / "faces").mkdir()
    everything = b"\n".join(face for s in SECRETS for face in sorted(faces(s)))
    (user.directory / "faces/all").write_bytes(everything)
    variables = [*(f"E{i}" for i in range(25)), *(f"I{i}" for i in range(len(inline)))]
    encoded = "; ".join(f'printf %s "${name}" | base64 -w0; echo' for name in variables)
    script = user.directory / "faces/show.sh"
    script.write_text(f"env\nenv >&2\n{encoded}\ncat /faces/all\nsleep 1\n")
    push = f"service: app, type: push, image_name: {host}/team/leaks"
    user.write(
        "codeship-steps.yml",
        f"""
        - {{service: app, command: sh /faces/show.sh}}
        - {{{push}, image_tag: one, encrypted_dockercfg_path: dockercfg.encrypted}}
        - {{{push}, image_tag: two, dockercfg_service: generator}}
        """,
    )


def unpacked(data: bytes) -> bytes:
    """A blob of a registry, as it lies there and unpacked."""
    try:
        return data + gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return data


def test_fifty_secrets_of_all_shapes_come_to_light_nowhere(
    user: User, vault: Vault, tmp_path: Path
) -> None:
    assert len(SECRETS) == 50
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    user.environment["TMPDIR"] = str(temporary)
    with password_registry(tmp_path / "registry") as (host, flags):
        leaking_project(user, vault, host)
        process = user.start("steps", "--push", "--debug", *flags)
        watch = Watch(process.pid)
        watch.start()
        out, err = process.communicate(timeout=50)
        watch.over.set()
        watch.join()
    assert process.returncode == 0, out + err
    assert out.count("***") > 300
    told = [line for line in (out + err).splitlines() if "not masked in the output" in line]
    assert len(told) == 1, told
    assert "SHORT" in told[0]
    found = hunt("the output", out.encode()) + hunt("standard error", err.encode()) + watch.found
    assert watch.looks > 20
    home = Path(user.environment["HOME"])
    files = [p for place in (temporary, home) for p in place.rglob("*") if p.is_file()]
    assert any("journal" in str(path) for path in files)
    blobs = [p for p in (tmp_path / "registry/data").rglob("data") if p.is_file()]
    assert len(blobs) >= 3
    for path in (*files, *blobs):
        found += hunt(str(path), unpacked(path.read_bytes()))
    assert found == []


def test_the_hunt_finds_every_secret_in_what_the_pipeline_shows() -> None:
    shown = b"\n".join(face for secret in (*SECRETS, PASSWORD) for face in sorted(faces(secret)))
    found = hunt("it", shown)
    assert {line.split()[1] for line in found} == {str(number) for number in range(51)}
    assert len(found) > 250


def test_run_masks_what_a_container_writes_in_pieces_and_on_both_streams(
    user: User, vault: Vault
) -> None:
    vault.file("env.encrypted", "TOKEN=first-half.second-half\n")
    user.write("codeship-services.yml", NEEDS_ENV)
    script = "echo $TOKEN; echo $TOKEN >&2; printf first-half.; sleep 0.01; echo second-half"
    done = user.run("run", "app", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (0, "***\n***\n")
    assert "***" in done.stderr
    assert "second-half" not in done.stdout + done.stderr


BROKEN = """
import longshore.run.steps as steps
async def push(runtime, step):
    files = runtime.sources.files
    secret = files.encrypted_env_file(runtime.plan.services["app"].encrypted_env_files[0])
    raise RuntimeError(secret, files.key().reveal_text())
steps.push_image = push
"""


def test_a_bug_while_secrets_are_at_hand_is_reported_without_them(
    user: User, vault: Vault, tmp_path: Path
) -> None:
    """The failure is put in from outside, for a release has no switch that makes it fail."""
    patch = tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(BROKEN)
    leaking_project(user, vault, "127.0.0.1:1")
    done = user.run("steps", "--push", "--debug", PYTHONPATH=str(patch))
    assert done.returncode == 3, done
    assert "RuntimeError" in done.stderr
    key = vault.key.reveal_text()
    assert key not in done.stdout + done.stderr
    assert hunt("the report", (done.stdout + done.stderr).encode()) == []


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
RUNS = "- {service: app, command: echo started}\n"


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
    data[-5] ^= 1
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
        (dockercfg("other.example").encode(), "credentials for other.example"),
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
    assert done.returncode in (1, 2), done
    assert words in done.stderr
    assert "codeship-steps.yml:1:" in done.stderr
    assert PASSWORD not in done.stderr


def test_a_dockercfg_decrypted_with_another_key_is_told_in_the_words_of_the_original(
    user: User, vault: Vault
) -> None:
    vault.file("dockercfg.encrypted", dockercfg("registry.invalid"), Format.JET_V1)
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
    services = GENERATOR.replace("image: longshore-test/busybox", "build: app")
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
