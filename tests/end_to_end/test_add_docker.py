"""`add_docker` gives the engine that runs the step (S-50), and is asked for only when used."""

from __future__ import annotations

import pytest

from .conftest import User

SERVICES = """
app: {image: longshore-test/busybox}
docker: {image: longshore-test/busybox, add_docker: true}
"""


@pytest.fixture
def project(user: User) -> User:
    """The user, with a service that gets at the engine and one that does not."""
    user.write("codeship-services.yml", SERVICES)
    return user


def test_the_engine_of_the_command_line_is_given_and_not_docker_host_s(project: User) -> None:
    project.write(
        "codeship-steps.yml",
        """
        - name: s
          service: docker
          command: sh -c 'echo $DOCKER_HOST; test -S ${DOCKER_HOST#unix://} && echo answers'
        """,
    )
    engine = project.environment["DOCKER_HOST"]
    done = project.run("steps", "--engine", engine, DOCKER_HOST="tcp://another.invalid:2375")
    assert done.returncode == 0, done
    assert f"(step: s) {engine}\n" in done.stdout
    assert "(step: s) answers\n" in done.stdout


def test_certificates_are_asked_for_only_when_a_service_that_runs_needs_them(
    project: User,
) -> None:
    needed = "docker: file {} does not exist".format(project.environment["HOME"] + "/.docker")
    project.write("codeship-steps.yml", "- {service: app, command: echo fine}\n")
    unused = project.run("steps", DOCKER_TLS_VERIFY="1")
    assert unused.returncode == 0, unused
    project.write("codeship-steps.yml", "- {service: docker, command: echo never}\n")
    used = project.run("steps", DOCKER_TLS_VERIFY="1")
    assert used.returncode == 2
    assert needed in used.stderr
