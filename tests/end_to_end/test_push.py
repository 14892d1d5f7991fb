"""Push steps and `longshore push` as users see them, against Debian's docker-registry."""

from __future__ import annotations

import base64
import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from platform import machine
from urllib.request import Request, urlopen

import anyio.from_thread
import pytest

from longshore.engine.endpoint import Endpoint
from longshore.oci.media_types import ACCEPT_MANIFESTS
from longshore.oci.platform import Platform
from longshore.testing.faults import Late, Script, on
from longshore.testing.images import RandomLayer, write_archive
from longshore.testing.registry import faulty_registry
from longshore.testing.registry_process import RegistryProcess, Settings, run_registry

from .conftest import User

pytestmark = [pytest.mark.engine, pytest.mark.registry]

SERVICES = "app: {build: {image: longshore-test/pushed, dockerfile: Dockerfile}}\n"
DOCKERFILE = "FROM longshore-test/busybox\nRUN echo pushed >/pushed\n"
PUSHED = re.compile(
    r"pushed \S+:(\S+)@(sha256:[0-9a-f]{64}) "
    r"\((\d+) layers? sent, (?:(\d+) mounted, )?(\d+) existing, .* in \d+\.\d s\)"
)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryProcess]:
    """docker-registry with a user, and TLS of an authority nobody knows."""
    settings = Settings(users={"ci": "pass:word"}, tls=True)
    with run_registry(tmp_path / "registry", settings) as running:
        yield running


@pytest.fixture
def project(user: User, registry: RegistryProcess) -> User:
    """A project whose push step logs in with an encrypted file."""
    user.write("codeship-services.yml", SERVICES)
    user.write("Dockerfile", DOCKERFILE)
    auth = base64.b64encode(b"ci:pass:word").decode()
    user.write("dockercfg", json.dumps({f"https://{registry.host}": {"auth": auth}}))
    assert user.run("generate").returncode == 0
    assert user.run("encrypt", "dockercfg", "dockercfg.encrypted").returncode == 0
    user.write(
        "codeship-steps.yml",
        f"""
        - {{name: test, service: app, command: cat /pushed}}
        - name: ship
          service: app
          type: push
          image_name: {registry.host}/team/app
          image_tag: [one, "{{{{.Branch}}}}"]
          registry: https://{registry.host}/v2/
          encrypted_dockercfg_path: dockercfg.encrypted
        - {{name: told, service: app, command: sh -c 'echo got $LONGSHORE_DIGEST_SHIP'}}
        """,
    )
    return user


@pytest.mark.parametrize(
    ("file", "why"),
    [("dockercfg", "holds no certificate in PEM form"), ("none", "cannot be read: no such file")],
)
@pytest.mark.parametrize(
    "words",
    [
        ("steps", "--push", "--ci-branch", "main"),
        ("login-check", "--ci-branch", "main"),
        ("push", "oci:layout", "r.example/team/app:t"),
    ],
    ids=["steps", "login-check", "push"],
)
def test_an_authority_that_is_none_is_told_before_anything_is_read_or_run(
    project: User, registry: RegistryProcess, words: tuple[str, ...], file: str, why: str
) -> None:
    done = project.run(*words, "--registry-ca", file)
    assert (done.returncode, done.stdout) == (2, "")
    message, hint = done.stderr.splitlines()[-2:]
    assert message.startswith(f"Error: --registry-ca: {file} {why}")
    assert message.endswith(
        "; expected was a file with the certificate of an authority (-----BEGIN CERTIFICATE-----)"
    )
    assert hint == (
        "hint: correct the path, or let this user read the file"
        if file == "none"
        else "hint: give the certificate of the authority that issued the registry's, not its key"
    )
    assert "/v2/" not in registry.log.read_text()


def _authority(registry: RegistryProcess) -> str:
    assert registry.authority is not None
    return str(registry.authority)


def _digest(registry: RegistryProcess, repository: str, tag: str) -> str:
    """As the registry tells it."""
    request = Request(f"{registry.url}/v2/{repository}/manifests/{tag}", method="HEAD")
    request.add_header("Accept", ACCEPT_MANIFESTS)
    request.add_header("Authorization", "Basic " + base64.b64encode(b"ci:pass:word").decode())
    with urlopen(request, context=registry.trust()) as answer:
        return str(answer.headers["Docker-Content-Digest"])


def _lines(output: str) -> list[re.Match[str]]:
    return list(PUSHED.finditer(output))


def test_a_push_step_logs_in_pushes_every_tag_and_tells_the_digest(
    project: User, registry: RegistryProcess
) -> None:
    words = ("steps", "--push", "--ci-branch", "main", "--registry-ca", _authority(registry))
    first = project.run(*words, "--metadata-file", "pushed.json", "--verify")
    assert first.returncode == 0, first.stdout + first.stderr
    lines = _lines(first.stdout)
    assert [line[1] for line in lines] == ["one", "main"]
    digest = lines[0][2]
    assert f"got {digest}" in first.stdout
    assert _digest(registry, "team/app", "one") == digest
    assert _digest(registry, "team/app", "main") == digest
    entry = json.loads((project.directory / "pushed.json").read_text())["pushes"][0]
    assert (entry["digest"], entry["tags"]) == (digest, ["one", "main"])
    assert {layer["route"] for layer in entry["layers"]} == {"sent"}
    assert "pass:word" not in first.stdout + first.stderr
    again = project.run(*words)
    assert [line[3] for line in _lines(again.stdout)] == ["0", "0"]


def test_without_push_nothing_is_pushed(project: User, registry: RegistryProcess) -> None:
    done = project.run("steps", "--registry-ca", _authority(registry))
    assert done.returncode == 0
    assert not _lines(done.stdout)
    assert "PATCH" not in registry.log.read_text()


def test_a_registry_with_an_unknown_authority_is_refused_with_a_remedy(project: User) -> None:
    done = project.run("steps", "--push", "--ci-branch", "b", "--push-retries", "0")
    assert done.returncode == 1
    assert re.search(r"Image Push error for image \S+/team/app:one, ", done.stdout)
    assert "--registry-ca" in done.stdout


def test_a_wrong_password_names_who_was_tried_and_from_where(
    project: User, registry: RegistryProcess
) -> None:
    auth = base64.b64encode(b"ci:wrong").decode()
    project.write("dockercfg", json.dumps({registry.host: {"auth": auth}}))
    assert project.run("encrypt", "dockercfg", "dockercfg.encrypted").returncode == 0
    words = ("steps", "--push", "--ci-branch", "b", "--registry-ca", _authority(registry))
    done = project.run(*words)
    assert done.returncode == 1
    assert f"Image Push error for image {registry.host}/team/app:one" in done.stdout
    assert 'tried user "ci" from dockercfg.encrypted' in done.stdout


def test_eager_push_ends_with_the_same_image(project: User, registry: RegistryProcess) -> None:
    words = ("steps", "--push", "--eager-push", "--registry-ca", _authority(registry))
    done = project.run(*words, "--ci-branch", "main")
    assert done.returncode == 0, done.stdout + done.stderr
    assert _digest(registry, "team/app", "main") == _lines(done.stdout)[0][2]


def test_a_failing_test_leaves_the_tag_of_before_untouched_though_layers_went_up(
    project: User, registry: RegistryProcess
) -> None:
    words = ("steps", "--push", "--ci-branch", "main", "--registry-ca", _authority(registry))
    assert project.run(*words).returncode == 0
    before = _digest(registry, "team/app", "main")
    repository = registry.data / "docker/registry/v2/repositories/team/app"
    layers = len(list((repository / "_layers" / "sha256").iterdir()))
    project.write("Dockerfile", f"{DOCKERFILE}RUN echo changed >/changed\n")
    steps = (project.directory / "codeship-steps.yml").read_text()
    command = "sh -c 'echo running; sleep 60'"
    project.write("codeship-steps.yml", steps.replace("cat /pushed", command))
    process = project.start(*words, "--eager-push")
    assert process.stdout is not None
    awaited = {"running", "invisible until this step"}
    seen = ""
    while awaited and (line := process.stdout.readline()):
        seen += line
        awaited = {text for text in awaited if text not in line}
    assert not awaited, seen
    docker = ("docker", "-H", project.environment["DOCKER_HOST"])
    listed = [*docker, "ps", "-q", "--filter", "ancestor=longshore-test/pushed"]
    running = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.split()
    subprocess.run([*docker, "kill", *running], check=True, capture_output=True)
    assert process.wait(60) == 1
    assert len(list((repository / "_layers" / "sha256").iterdir())) > layers
    assert _digest(registry, "team/app", "main") == before
    assert list((repository / "_uploads").glob("*")) == []


def test_the_engines_own_push_is_verified_and_told_in_the_same_words(
    user: User, docker_registry_url: str
) -> None:
    host = docker_registry_url.removeprefix("http://")
    user.write("codeship-services.yml", SERVICES)
    user.write("Dockerfile", DOCKERFILE)
    user.write(
        "codeship-steps.yml",
        f"- {{service: app, type: push, image_name: {host}/by/engine, image_tag: [a, b]}}\n",
    )
    words = ("steps", "--push", "--pusher", "engine", "--verify", "--eager-push")
    done = user.run(*words, "--metadata-file", "pushed.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pushes this image, and does so only in this step" in done.stdout
    lines = _lines(done.stdout)
    assert [line[1] for line in lines] == ["a", "b"]
    entry = json.loads((user.directory / "pushed.json").read_text())["pushes"][0]
    assert entry["digest"] == lines[0][2]
    assert [layer["route"] for layer in entry["layers"]].count("sent") == int(lines[0][3])
    assert all(layer["size"] > 0 for layer in entry["layers"])


@pytest.fixture
def pushed_image(engine_endpoint: Endpoint, busybox_image: str) -> str:
    return busybox_image


def test_push_prints_the_digest_alone_and_mounts_what_another_repository_has(
    user: User, registry: RegistryProcess, pushed_image: str
) -> None:
    flags = ("--registry-ca", _authority(registry))
    login = base64.b64encode(b"ci:pass:word").decode()
    config = {"auths": {registry.host: {"auth": login}}}
    user.write("docker/config.json", json.dumps(config))
    user.environment["DOCKER_CONFIG"] = str(user.directory / "docker")
    quiet = user.run("push", "-q", pushed_image, f"{registry.host}/a/b:1", *flags)
    assert (quiet.returncode, quiet.stderr) == (0, "")
    assert quiet.stdout == f"{_digest(registry, 'a/b', '1')}\n"
    other = user.run("push", pushed_image, f"{registry.host}/c/d", f"{registry.host}/a/b:2", *flags)
    assert _digest(registry, "c/d", "latest") == _digest(registry, "a/b", "2")
    assert {line[1]: line[3] for line in _lines(other.stdout)} == {"latest": "0", "2": "0"}
    assert ": mounted from a/b" in other.stderr


def test_a_run_that_pushes_nothing_leaves_no_metadata_of_another(user: User) -> None:
    user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
    user.write(
        "codeship-steps.yml",
        "- {service: app, command: 'true'}\n- {service: app, type: push, image_name: a/b}\n",
    )
    told = user.write("pushed.json", '{"version": 1}')
    assert user.run("steps", "--metadata-file", "pushed.json").returncode == 0
    assert not told.exists()


def test_push_takes_the_id_of_an_image_and_a_target(
    user: User, docker_registry_url: str, pushed_image: str, engine_endpoint: Endpoint
) -> None:
    host = docker_registry_url.removeprefix("http://")
    inspect = ["docker", "-H", engine_endpoint.url, "image", "inspect", "-f", "{{.Id}}"]
    ids = subprocess.run([*inspect, pushed_image], check=True, capture_output=True, text=True)
    whole = ids.stdout.strip()
    bare = whole.removeprefix("sha256:")
    short = bare[:12]
    forms = (whole, bare, short)
    digests = {user.run("push", "-q", one, f"{host}/by/id:1").stdout for one in forms}
    assert digests == {user.run("push", "-q", pushed_image, f"{host}/by/name:1").stdout}
    unnamed = user.run("push", short)
    assert unnamed.returncode == 2
    assert f"name a target: longshore push {short} registry/name:tag" in unnamed.stderr


@pytest.mark.parametrize(
    "form",
    ["docker-archive:saved.tar", "docker-archive:saved.tar:{name}", "./saved.tar", "oci:layout"],
)
def test_push_takes_archives_and_layouts_and_the_layers_stay_the_same(
    user: User, docker_registry_url: str, pushed_image: str, form: str, engine_endpoint: Endpoint
) -> None:
    host = docker_registry_url.removeprefix("http://")
    docker = ("docker", "-H", engine_endpoint.url)
    saved = user.directory / "saved.tar"
    subprocess.run([*docker, "save", "-o", saved, pushed_image], check=True)
    if form.startswith("oci:"):
        target = f"oci:{user.directory / 'layout'}:it"
        copy = ["skopeo", "copy", "-q", f"docker-archive:{saved}", target]
        subprocess.run(copy, check=True)
    name = re.sub(r"\W", "", form)
    done = user.run("push", form.format(name=pushed_image), f"{host}/from/{name}:1")
    assert done.returncode == 0, done.stderr
    inspect = ["skopeo", "inspect", "--tls-verify=false", "--config"]
    there = subprocess.run(
        [*inspect, f"docker://{host}/from/{name}:1"], check=True, capture_output=True
    )
    local = subprocess.run(
        [*docker, "image", "inspect", "-f", "{{json .RootFS.Layers}}", pushed_image],
        check=True,
        capture_output=True,
    )
    assert json.loads(there.stdout)["rootfs"]["diff_ids"] == json.loads(local.stdout)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("oci:layout",), "says nothing of where to push it"),
        (("./nowhere.tar", "localhost/a"), "there is no file"),
        (("no/such-image-here", "localhost/a"), "the engine has no image"),
        (("Upper", "localhost/a"), "upper-case"),
        (("saved.tar", "localhost/a"), "to push the file: longshore push ./saved.tar"),
        (("sha256:" + "0" * 64,), "name a target: longshore push"),
        (("oci:layout", "localhost/a", "--pusher", "engine"), "is a file"),
        (("busybox", "localhost/a@sha256:" + "0" * 64), "names a digest"),
        (("busybox", "localhost/a", "--compression-level", "77"), "no whole number from 0 to 19"),
        (("busybox", "localhost/a", "--compression", "zstd", "--format", "docker"), "oci"),
    ],
)
def test_what_cannot_be_pushed_is_told_in_a_line(
    user: User, words: tuple[str, ...], told: str
) -> None:
    user.write("saved.tar", "")
    done = user.run("push", *words)
    assert done.returncode in (1, 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_push_from_a_layout_of_several_platforms_tells_which_were_left_out(
    user: User, docker_registry_url: str
) -> None:
    layout = user.directory / "layout"
    write_archive(user.directory / "saved.tar", "app:1", [RandomLayer(content=1000, seed=1)])
    copy = ["skopeo", "copy", "-q", f"docker-archive:{user.directory}/saved.tar", f"oci:{layout}"]
    subprocess.run(copy, check=True)
    index = json.loads((layout / "index.json").read_text())
    (one,) = index["manifests"]
    here = Platform.of_machine(machine())
    other = {
        **one,
        "digest": "sha256:" + "0" * 64,
        "platform": {"os": "linux", "architecture": "z"},
    }
    index["manifests"] = [other, {**one, "platform": here.document()}]
    (layout / "index.json").write_text(json.dumps(index))
    host = docker_registry_url.removeprefix("http://")
    done = user.run("push", "./layout", f"{host}/several/platforms:1")
    assert done.returncode == 0, done.stderr
    assert f"of ./layout the image for {here} is pushed, not: linux/z\n" in done.stderr


@pytest.mark.parametrize("words", [("push", "./app.tar", "{}:b"), ("steps", "--push")])
def test_ctrl_c_while_a_tag_is_on_its_way_tells_that_it_may_be_there(
    user: User, words: tuple[str, ...]
) -> None:
    plan = Script([on("PUT manifest", Late(pause=60), times=None)])
    write_archive(
        user.directory / "app.tar", "app:1", [RandomLayer(content=20_000, files=2, seed=1)]
    )
    with (
        anyio.from_thread.start_blocking_portal() as portal,
        portal.wrap_async_context_manager(faulty_registry(plan=plan)) as registry,
    ):
        target = f"{registry.host}/team/app"
        user.write("codeship-services.yml", "app: {image: longshore-test/busybox}\n")
        keys = f"type: push, image_name: '{target}', image_tag: b"
        user.write("codeship-steps.yml", f"- {{service: app, {keys}}}\n")
        process = user.start(*(word.format(target) for word in words))
        deadline = time.monotonic() + 30
        while not any(one.method == "PUT" and "manifests" in one.path for one in registry.recorded):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told = "".join(process.communicate(timeout=30))
    assert process.returncode == 130
    assert told.count(f"{target}:b may have been written") == 1
