"""Volumes that outlive a step, and services with odd names, on a real engine."""

from __future__ import annotations

from .conftest import User


def test_keep_volumes_keeps_those_of_an_image_without_a_command(user: User) -> None:
    """The container that holds them is never started, but has to be created (Q-5)."""
    user.write("Dockerfile", "FROM longshore-test/busybox\nVOLUME /kept\nENTRYPOINT []\nCMD []\n")
    user.write(
        "codeship-services.yml",
        """\
        app: {image: longshore-test/busybox, volumes_from: [data]}
        data: {build: ., command: sleep 60}
        """,
    )
    user.write(
        "codeship-steps.yml",
        """\
        - {service: app, command: touch /kept/one}
        - {service: app, command: ls /kept/one}
        """,
    )
    done = user.run("steps", "--keep-volumes", "--stop-grace", "1s")
    assert done.returncode == 0, done


def test_services_that_differ_in_a_blank_start_in_one_step(user: User) -> None:
    user.write(
        "codeship-services.yml",
        """\
        "a b": {image: longshore-test/busybox, depends_on: [ab]}
        ab: {image: longshore-test/busybox, command: sleep 60}
        """,
    )
    user.write("codeship-steps.yml", "- {service: a b, command: echo fine}\n")
    done = user.run("steps", "--stop-grace", "1s")
    assert done.returncode == 0, done
