"""The hunt: fifty secrets go through real runs, and may come to light nowhere."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from .conftest import User, Vault

pytestmark = pytest.mark.registry

PASSWORD = "pass-Wort-9:ü"  # as in the vault


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
    vault.file("dockercfg.encrypted", vault.dockercfg(host))
    vault.file("generator.encrypted", f"CFG={vault.dockercfg(host)}\nSHORT=ab\nWORD=true\n")
    inlined = "".join(f"    I{i}: {vault.inline(s)}\n" for i, s in enumerate(inline))
    more = "".join(f"B{i}={s}\n" for i, s in enumerate(arguments[5:]))
    user.write(
        "codeship-services.yml",
        "app:\n  volumes: ['./faces:/faces']\n"
        f"  build: {{image: longshore-test/leaks, context: app, "
        f"encrypted_args: {vault.inline(more)}, encrypted_args_file: args.encrypted}}\n"
        "  encrypted_env_file: env.encrypted\n"
        f"  encrypted_environment:\n{inlined}{vault.generator}",
    )
    names = [*(f"A{i}" for i in range(5)), *(f"B{i}" for i in range(5))]
    declared = "\n".join(f"ARG {name}" for name in names)
    runs = "\n".join(f'RUN echo "${name}"; printf %s "${name}" | base64' for name in names)
    base = "FROM longshore-test/busybox"
    (user.directory / "app").mkdir()
    (user.directory / "app/Dockerfile").write_text(
        f"{base} AS early\n{declared}\n{runs}\nRUN : > /done\n"
        f"{base}\nCOPY --from=early /done /done\nRUN touch /really\n"
    )
    (user.directory / "faces").mkdir()
    shown = (*SECRETS, vault.key.reveal_text())
    everything = b"\n".join(face for each in shown for face in sorted(faces(each)))
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
    user: User, vault: Vault, tmp_path: Path, password_registry: tuple[str, tuple[str, ...]]
) -> None:
    assert len(SECRETS) == 50
    assert vault.password == PASSWORD
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    user.environment["TMPDIR"] = str(temporary)
    host, flags = password_registry
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
    assert not [face for face in faces(vault.key.reveal_text()) if face in (out + err).encode()]
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
    services = "app: {image: longshore-test/busybox, encrypted_env_file: env.encrypted}\n"
    user.write("codeship-services.yml", services)
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
