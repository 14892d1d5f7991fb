"""What is looked at before anything starts, and what is left alone (C-9, E-15)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.commands.preparation import check_needs
from longshore.commands.session_options import SessionOptions
from longshore.config.credential_keys import CredentialKeys
from longshore.environment import Environment
from longshore.errors import InvalidValue, KeyUnavailable, LongshoreError, UsageError
from longshore.plan.selection import Selection
from longshore.run.files import ProjectFiles
from longshore.run.needs import generator_images, needs_of_services, needs_of_steps
from longshore.secrets.key import AesKey, generate_key
from longshore.secrets.masking import Masker
from longshore.testing.scene import Scene

APP = "app: {image: x/app, env_file: env}\n"
NO_FLAGS = CredentialKeys()
RUN = "- {service: app, command: x}\n"


def no_key() -> AesKey:
    raise KeyUnavailable("docker: no decryptor available", hint="put it there")


def checked(
    directory: Path,
    services: str,
    steps: str,
    selection: Selection | None = None,
    flags: CredentialKeys = NO_FLAGS,
    find_key: Callable[[], AesKey] = no_key,
) -> list[str]:
    """What was told; raises what was found."""
    told: list[str] = []
    plan = Scene(directory, selection=selection or Selection(push=True)).plan(services, steps)
    files = ProjectFiles(find_key, Masker(), told.append)
    environment = Environment({"HOME": str(directory)})
    check_needs(
        plan,
        needs_of_steps(plan),
        SessionOptions(credentials=flags),
        environment,
        files,
    )
    return told


def failure(directory: Path, services: str, steps: str) -> LongshoreError:
    with pytest.raises(LongshoreError) as caught:
        checked(directory, services, steps)
    return caught.value


def test_a_missing_env_file_is_told_with_the_service_and_its_place(tmp_path: Path) -> None:
    found = failure(tmp_path, APP, RUN)
    assert isinstance(found, InvalidValue)
    assert found.message == f"cannot read the env_file {tmp_path}/env: No such file or directory"
    assert (found.hint or "").startswith('service "app" needs it (')
    assert "codeship-services.yml:1:31)" in (found.hint or "")


def test_every_file_of_a_service_is_told_where_it_is_named(tmp_path: Path) -> None:
    services = (
        "app:\n"
        "  build: {context: ., encrypted_args_file: [no4, no5]}\n"
        "  env_file: [no1, no2]\n"
        "  encrypted_env_file: no3\n"
    )
    (tmp_path / "Dockerfile").write_text("FROM x/base\n")
    with pytest.raises(ExceptionGroup) as caught:
        checked(tmp_path, services, RUN)
    found = [one for one in caught.value.exceptions if isinstance(one, LongshoreError)]
    assert [re.findall(r"no\d|yml:\d+:\d+", f"{one} {one.hint}") for one in found] == [
        ["no1", "yml:3:14"],
        ["no2", "yml:3:19"],
        ["no3", "yml:4:23"],
        ["no4", "yml:2:45"],
        ["no5", "yml:2:50"],
    ]


def test_every_value_that_cannot_be_decrypted_is_named(tmp_path: Path) -> None:
    """C-9."""
    services = "app: {image: x/app, encrypted_environment: {BAD: abc, BAD2: '#'}}\n"
    with pytest.raises(ExceptionGroup) as caught:
        checked(tmp_path, services, RUN, find_key=generate_key)
    assert [str(one).partition(" service")[0] for one in caught.value.exceptions] == [
        f'cannot decrypt "{name}" in encrypted_environment of' for name in ("BAD", "BAD2")
    ]


def test_all_that_is_missing_is_told_at_once_and_each_thing_once(tmp_path: Path) -> None:
    services = APP + (
        "b: {image: x/b, env_file: [env, other]}\n"
        "c: {image: x/c, encrypted_env_file: secret}\n"
        "d: {image: x/d, encrypted_environment: {A: eA==}}\n"
        "e: {image: x/e, encrypted_environment: {A: eA==}}\n"
    )
    steps = "".join(f"- {{service: {name}, command: x}}\n" for name in ("app", "b", "c", "d", "e"))
    (tmp_path / "env").write_text("")
    with pytest.raises(ExceptionGroup) as caught:
        checked(tmp_path, services, steps)
    found = caught.value.exceptions
    assert [str(one).partition(str(tmp_path))[0] for one in found] == [
        "cannot read the env_file ",
        "cannot read the encrypted_env_file ",
        "docker: no decryptor available",
    ]
    hints = [one.hint or "" for one in found if isinstance(one, LongshoreError)]
    assert [hint.partition(" needs it")[0] for hint in hints] == [
        f'service "{name}"' for name in ("b", "c", "d")
    ]


def test_files_of_dependencies_and_of_on_fail_steps_count(tmp_path: Path) -> None:
    free = "free: {image: x/free, depends_on: [app]}\nlone: {image: x/lone}\n"
    assert "env_file" in failure(tmp_path, APP + free, RUN.replace("app", "free")).message
    handler = "- {service: lone, command: x, on_fail: [{service: app, command: y}]}\n"
    assert "env_file" in failure(tmp_path, APP + free, handler).message


def test_a_file_that_an_earlier_step_may_write_is_not_missed(tmp_path: Path) -> None:
    services = APP.replace("env}", "out/env}") + "make: {image: x/make, volumes: ['./out:/out']}\n"
    make = "- {service: make, command: x}\n"
    assert checked(tmp_path, services, make + RUN) == []
    read_only = services.replace("/out']", "/out:ro']")
    assert "env_file" in failure(tmp_path, read_only, make + RUN).message


def test_only_steps_before_may_write_what_is_missing(tmp_path: Path) -> None:
    services = APP.replace("env}", "out/env}") + "make: {image: x/make, volumes: ['./out:/out']}\n"
    services += "other: {image: x/other, volumes: [/data]}\n"
    make, other = (f"- {{service: {name}, command: x}}\n" for name in ("make", "other"))
    never = make.replace("command", "tag: never, command")
    nobody = RUN, RUN + make, never + RUN, other + RUN + make
    for steps in nobody:
        assert "env_file" in failure(tmp_path, services, steps).message
    itself = services.replace("app: {", "app: {volumes: ['./out:/out'], ")
    assert "env_file" in failure(tmp_path, itself, RUN).message


def test_a_file_that_a_service_started_before_may_write_is_not_missed(tmp_path: Path) -> None:
    app = APP.replace("env}", "out/env, depends_on: [make]}")
    make = "make: {image: x/make, volumes: ['./out:/out']}\n"
    assert checked(tmp_path, app + make, RUN) == []
    built = "app: {build: {context: ., encrypted_args_file: out/args}, depends_on: [make]}\n"
    assert "encrypted_args_file" in failure(tmp_path, built + make, RUN).message


def test_build_arguments_that_an_earlier_step_may_write_are_not_missed_by_a_push(
    tmp_path: Path,
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x/base\nARG A\n")
    services = (
        "app: {build: {context: ., encrypted_args_file: out/args}}\n"
        "make: {image: x/make, volumes: ['./out:/out']}\n"
    )
    push = "- {service: app, type: push, image_name: localhost:5000/x}\n"
    assert checked(tmp_path, services, "- {service: make, command: x}\n" + push) == []


def test_a_dockerfile_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "Dockerfile")
    push = "- {service: app, type: push, image_name: localhost:5000/x}\n"
    assert checked(tmp_path, "app: {build: .}\n", push) == []


def test_a_key_that_is_copied_into_a_pushed_image_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "codeship.aes").write_text(generate_key().reveal_text())
    (tmp_path / "Dockerfile").write_text("FROM x/base\nCOPY . /app\n")
    services, push = "app: {build: .}\n", "- {service: app, type: push, image_name: r.example/x}\n"
    (told,) = checked(tmp_path, services, push)
    assert "copies the AES key (codeship.aes) into " in told
    assert 'write "codeship.aes" into ' in told
    assert checked(tmp_path, services, "- {service: app, command: x}\n") == []
    (tmp_path / ".dockerignore").write_text("*.aes\n")
    assert checked(tmp_path, services, push) == []
    (tmp_path / "Dockerfile.dockerignore").write_text("other\n")
    assert checked(tmp_path, services, push) == [told]


@pytest.mark.parametrize(
    "keys",
    [
        "image: x/app, encrypted_env_file: sealed",
        "image: x/app, encrypted_environment: {A: QUJD}",
        "build: {context: ., encrypted_args_file: sealed}",
        "build: {context: ., encrypted_args: QUJD}",
        "build: ., encrypted_dockercfg_path: sealed",
    ],
)
def test_every_encrypted_thing_of_a_running_service_needs_the_key(
    tmp_path: Path, keys: str
) -> None:
    (tmp_path / "sealed").write_text("QUJD")
    (tmp_path / "Dockerfile").write_text("FROM x/base\n")
    found = failure(tmp_path, f"app: {{{keys}}}\n", RUN)
    assert found.message == "docker: no decryptor available"
    assert "codeship-services.yml:1:" in (found.hint or "")


def test_what_will_not_run_needs_nothing(tmp_path: Path) -> None:
    services = APP + "sealed: {image: x/y, encrypted_env_file: nowhere}\nfree: {image: x/z}\n"
    steps = (
        "- {service: app, command: x, tag: never}\n"
        "- {service: sealed, type: push, image_name: r.example/x}\n"
        "- {service: free, command: x}\n"
    )
    assert checked(tmp_path, services, steps, Selection()) == []
    # Pushing an image does not start its container.
    assert checked(tmp_path, services, steps) == []


def test_an_image_that_may_be_there_already_needs_no_credentials_to_pull(tmp_path: Path) -> None:
    services = "app: {image: x/app, encrypted_dockercfg_path: nowhere}\n"
    assert checked(tmp_path, services, RUN) == []


def test_credentials_of_another_service_with_the_same_image_are_not_looked_at(
    tmp_path: Path,
) -> None:
    """S-53: the service's own, or the step's where it has none, come before them."""
    (tmp_path / "Dockerfile").write_text("FROM x/base\n")
    (tmp_path / "cfg").write_text('{"auths": {}}')
    services = (
        "first: {build: {image: me/app}, encrypted_dockercfg_path: nowhere}\n"
        "second: {build: {image: me/app}, dockercfg_path: cfg}\n"
        "third: {build: {image: me/app}}\n"
    )
    step = "- {service: %s, command: x}\n"
    assert not checked(tmp_path, services, step % "second")
    assert not checked(tmp_path, services, step % "third, dockercfg_path: cfg")
    found = failure(tmp_path, services, step % "third")
    assert found.message.startswith("cannot read the encrypted_dockercfg_path ")


def test_credentials_that_only_the_service_has_are_told_of_once(tmp_path: Path) -> None:
    (tmp_path / "cfg").write_text('{"auths": {"r.example": {"username": "u", "password": "p"}}}')
    services = "app: {image: x/app, dockercfg_path: cfg}\n"
    steps = "- {name: up, service: app, type: push, image_name: r.example/x}\n"
    (told,) = checked(tmp_path, services, steps)
    assert 'push step "up" pushes with the credentials of service "app"' in told
    own = steps.replace("x}", "x, dockercfg_path: cfg}")
    assert checked(tmp_path, services, own) == []


def test_a_credentials_file_that_a_step_names_is_told_at_the_step(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x/base\n")
    step = "{service: app, type: push, image_name: r.example/x, dockercfg_path: nowhere}"
    found = failure(tmp_path, "app: {build: .}\n", f"- {step}\n")
    assert "codeship-steps.yml:1:3)" in (found.hint or "")


def test_credentials_without_the_registry_of_a_push_are_a_mistake_of_the_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "cfg").write_text('{"auths": {"other.example": {"auth": "dTpw"}}}')
    step = "{service: app, type: push, image_name: r.example/x, dockercfg_path: cfg}"
    found = failure(tmp_path, "app: {image: x/app}\n", f"- {step}\n")
    assert isinstance(found, InvalidValue)  # exit code 2 (C-5): no registry was asked
    assert found.message == (
        "no credentials for r.example in cfg, which has credentials for other.example"
    )
    assert "add an entry for r.example" in (found.hint or "")


def test_services_run_or_loaded_by_name_need_what_they_use(tmp_path: Path) -> None:
    plan = Scene(tmp_path).plan(APP, "[]")
    environment = Environment({"HOME": str(tmp_path)})
    files = ProjectFiles(no_key, Masker(), lambda _: None)

    def check(*, runs: bool) -> None:
        needs = needs_of_services(plan, ["app"], runs=runs)
        check_needs(plan, needs, SessionOptions(), environment, files)

    check(runs=False)
    with pytest.raises(InvalidValue):
        check(runs=True)


def test_a_build_argument_that_has_no_value_stops_what_uses_its_service_by_name(
    tmp_path: Path,
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x/base\n")
    short = '{build: {context: ., args: {SHORT: "{{slice .CommitID 0 7}}"}}}'
    plan = Scene(tmp_path).plan(f"used: {{image: x/app}}\nother: {short}\n", "[]")
    files = ProjectFiles(no_key, Masker(), lambda _: None)

    def check(service: str) -> None:
        needs = needs_of_services(plan, [service], runs=False)
        check_needs(plan, needs, SessionOptions(), Environment({}), files)

    check("used")
    with pytest.raises(InvalidValue, match=r'^argument "SHORT" of service "other": ') as caught:
        check("other")
    assert "codeship-services.yml:2:" in str(caught.value.hint)


def test_the_images_a_generator_starts_from_are_known(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x/base\n")
    services = (
        "base: {build: {context: ., dockerfile: Other, image: x/base}}\n"
        "gen: {build: ., depends_on: [db]}\ndb: {image: x/db}\napp: {image: x/app}\n"
    )
    steps = "- {type: serial, dockercfg_service: gen, steps: [{service: app, command: x}]}\n"
    plan = Scene(tmp_path).plan(services, steps)
    found = generator_images(plan, SessionOptions().credentials)
    assert found == {plan.services[name].image for name in ("base", "gen", "db")}


def test_a_flag_that_names_no_service_is_told_with_those_there_are(tmp_path: Path) -> None:
    flags = CredentialKeys(dockercfg_service="nope")
    with pytest.raises(UsageError, match='there is no service "nope"') as caught:
        checked(tmp_path, "app: {image: x/app}\n", RUN, flags=flags)
    assert str(caught.value.hint).endswith("defined services: app")


@pytest.mark.parametrize("where", ["step", "flag"])
def test_a_file_of_a_step_or_flag_is_not_said_to_be_relative_to_the_services_file(
    tmp_path: Path, where: str
) -> None:
    """It is not (F-11); the message has the whole path."""
    keys = ", encrypted_dockercfg_path: nowhere" if where == "step" else ""
    flags = CredentialKeys(encrypted_dockercfg_path="nowhere" if where == "flag" else None)
    steps = f"- {{service: app, type: push, image_name: quay.io/a/b{keys}}}\n"
    with pytest.raises(LongshoreError) as caught:
        checked(tmp_path, "app: {image: x/app}\n", steps, flags=flags)
    assert f"{tmp_path}/nowhere: No such file" in caught.value.message
    assert "services file" not in str(caught.value.hint)
    assert "write the file, or correct the path" in str(caught.value.hint)


def test_a_login_of_the_user_that_cannot_be_understood_is_told_where_a_push_goes_by_it(
    tmp_path: Path,
) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text("{bad")
    (tmp_path / "cfg.json").write_text('{"auths": {"docker.io": {"auth": "YTpi"}}}')
    services = "app: {image: x/app}\n"
    push = "- {service: app, type: push, image_name: x/app%s}\n"
    found = failure(tmp_path, services, push % "")
    assert "config.json" in (found.hint or "")
    assert found.message.startswith("Failed to parse dockercfg")
    checked(tmp_path, services, push % ", dockercfg_path: cfg.json")
    checked(tmp_path, services, RUN)
