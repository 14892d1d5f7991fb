"""What a person reads of a plan."""

from __future__ import annotations

from pathlib import Path

from longshore.config.credential_keys import CredentialKeys
from longshore.plan.selection import Selection
from longshore.report.plan_text import plan_text
from longshore.report.style import Style

from .conftest import view


def test_a_plain_run_tells_why_each_step_is_skipped(project: Path) -> None:
    assert plan_text(view(project, Selection()), Style()) == (
        """\
build tag: none

steps
  unit (run): app: sh -c 'a b'
      starts first: db
      credentials: encrypted file db.dockercfg, named by the service
  both (parallel): skipped, tag "master" needs a build tag (use --tag)
    lint (run)
    serial
      only v (run)
  publish (push): skipped, push steps need --push
  manual: skipped, waiting for approval (use --approve)
    deploy (run)

images
  postgres:9.6: pulled for service db unless it is here, first for step "unit"
  me/app:latest: built for service app from Dockerfile (also for same), first for step "unit"
"""
    )


def test_a_full_run_tells_what_is_started_made_pushed_and_logged_in_with(project: Path) -> None:
    selection = Selection(tag="master", push=True, only=("both", "publish"))
    assert plan_text(view(project, selection), Style()) == (
        """\
build tag: master

steps
  unit (run): skipped, left out by --only
  both (parallel)
    lint (run): same: lint
        if it fails: tell (run): same: tell me
    serial
      only v (run): skipped, tag "^v" does not match "master"
  publish (push): app -> quay.io/a/b:main
      registry: quay.io
      credentials: made by service gen
  manual: skipped, left out by --only
    deploy (run)

images
  me/app:latest: built for service app from Dockerfile (also for same), first for step "lint"
  redis:latest: pulled for service cache unless it is here, first for step "publish"
  generator:latest: pulled for service gen unless it is here, first for step "publish"
"""
    )


def test_credentials_of_service_and_command_line_say_so(project: Path) -> None:
    (project / "codeship-steps.yml").write_text(
        "- {service: app, type: push, image_name: a/b}\n"
        "- {service: db, type: push, image_name: a/c}\n"
    )
    flags = CredentialKeys(encrypted_dockercfg_path="flag.dockercfg")
    text = plan_text(view(project, Selection(push=True), flags), Style())
    assert "credentials: encrypted file flag.dockercfg, by the command line\n" in text
    assert "credentials: encrypted file db.dockercfg, named by the service\n" in text


def test_the_credentials_of_another_service_with_the_same_image_come_last(project: Path) -> None:
    """S-53."""
    (project / "codeship-services.yml").write_text(
        "a: {image: x.example/y, dockercfg_path: of-a}\n"
        "b: {image: x.example/y, dockercfg_path: of-b}\n"
        "c: {image: x.example/y}\n"
    )

    def told(step: str) -> str:
        (project / "codeship-steps.yml").write_text(f"- {{{step}, command: x}}\n")
        text = plan_text(view(project, Selection()), Style())
        return text.partition("credentials: ")[2].partition("\n")[0]

    assert told("service: b") == "file of-b, named by the service"
    assert told("service: c, dockercfg_path: of-step") == "file of-step"
    assert told("service: c") == "file of-a, named by the service"


def test_a_plain_file_beside_a_generator_is_what_is_told(project: Path) -> None:
    """S-52: the file beats the generator."""
    (project / "codeship-steps.yml").write_text(
        "- {service: db, type: push, image_name: a/b, dockercfg_service: gen, dockercfg_path: c}\n"
    )
    text = plan_text(view(project, Selection(push=True)), Style())
    assert "made by service" not in text
    assert "credentials: file c\n" in text


def test_a_push_without_credentials_uses_your_login_unless_told_not_to(project: Path) -> None:
    (project / "codeship-steps.yml").write_text("- {service: app, type: push, image_name: a/b}\n")
    chosen = Selection(push=True)
    assert "credentials: your own docker login, if any\n" in plan_text(
        view(project, chosen), Style()
    )
    without = view(project, chosen, user_login=False)
    assert "credentials: none\n" in plan_text(without, Style())


def test_names_and_commands_cannot_move_the_cursor(project: Path) -> None:
    (project / "codeship-steps.yml").write_text(
        '- {service: db, name: "a\\eb", command: ["\\e[2J", "c\\nd"]}\n'
    )
    text = plan_text(view(project, Selection()), Style())
    assert "\x1b" not in text
    assert "  a b (run): db: '\\x1b[2J' 'c\\x0ad'\n" in text


def test_services_and_their_files_cannot_move_the_cursor(project: Path) -> None:
    (project / "codeship-services.yml").write_text(
        '"a\\e[1m": {build: {dockerfile: "D\\e[2m"}, depends_on: ["b\\e[3m"]}\n'
        '"b\\e[3m": {image: busybox}\n'
    )
    (project / "codeship-steps.yml").write_text(
        '- {service: "a\\e[1m", command: x}\n'
        '- {service: "a\\e[1m", type: push, image_name: quay.io/a/b}\n'
    )
    text = plan_text(view(project, Selection(tag="\x1b[4m", push=True)), Style())
    assert "\x1b" not in text
    assert "starts first: b\\x1b[3m\n" in text
    assert "built for service a\\x1b[1m from D\\x1b[2m, first" in text


def test_an_empty_file_has_neither_steps_nor_images(project: Path) -> None:
    (project / "codeship-steps.yml").write_text("[]\n")
    text = plan_text(view(project, Selection()), Style())
    assert text == "build tag: none\n\nsteps\n  none\n\nimages\n  none\n"
