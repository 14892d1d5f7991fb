"""Flags that several commands share, declared once each (spec 7.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from longshore.cli.legacy_flags import legacy_flags
from longshore.cli.values import Duration, OneOf, Whole
from longshore.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])


def _all(*options: Callable[[Any], Any]) -> Callable[[Command], Command]:
    def decorate(function: Command) -> Command:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


def text(name: str, help: str, **settings: Any) -> Callable[[Any], Any]:  # noqa: A002  # click's word
    """A flag with a text value, shown as cobra shows it."""
    return click.option(name, metavar="string", help=help, **settings)


def flag(*names: str, help: str, **settings: Any) -> Callable[[Any], Any]:  # noqa: A002  # click's word
    """A boolean flag; Go's ``--flag=true`` works too (`cobra`)."""
    return click.option(*names, is_flag=True, help=help, **settings)


project_flags = _all(
    text("--dir", "project directory (default: the current directory)", default="."),
    text(
        "--services-path",
        "services file, relative to the project directory (default: codeship-services.yml)",
    ),
)

steps_path = text(
    "--steps-path", "steps file, relative to the project directory (default: codeship-steps.yml)"
)

selection_flags = _all(
    text("--tag", "build tag that tag and exclude are matched against"),
    flag("--push", help="run push steps"),
    flag("--approve", help="run manual groups, with CI_BUILD_APPROVED set"),
    text("--only", "run only the steps of this name; repeatable", multiple=True),
    text("--from", "leave out the steps before the one of this name", default=None),
)

ci_flags = _all(
    text("--ci-branch", "branch name"),
    text("--ci-build-id", "build id"),
    text("--ci-commit-description", "output of git describe"),
    text("--ci-commit-id", "commit hash"),
    text("--ci-commit-message", "commit message"),
    text("--ci-committer-email", "email of the committer"),
    text("--ci-committer-name", "name of the committer"),
    text("--ci-committer-username", "login of the committer"),
    text("--ci-name", "name of the CI system (default codeship)", default="codeship"),
    text("--ci-pr-number", "number of the pull request"),
    text("--ci-project-id", "project id"),
    text("--ci-pull-request", "URL of the pull request"),
    text("--ci-repo-name", "repository name without its owner"),
    text("--ci-timestamp", "build time in seconds since the epoch"),
    flag("--ci-from-scm", help="fill what is not given from git or hg in the project directory"),
)

key_path = text(
    "--key-path",
    "AES key file (default: LONGSHORE_AES_KEY, else codeship.aes in the project directory)",
)

key_of_current_directory = text(
    "--key-path", "AES key file (default: LONGSHORE_AES_KEY, else codeship.aes)"
)

no_user_credentials = flag(
    "--no-user-credentials", help="do not use those of your docker or podman login"
)

secret_flags = _all(
    key_path,
    text("--encrypted-dockercfg-path", "encrypted registry credentials"),
    text("--dockercfg-service", "service that generates registry credentials"),
    no_user_credentials,
)

engine_flag = click.option(
    "--engine",
    metavar="string",
    default=None,
    help="auto, docker, embedded, or an address such as unix:///run/docker.sock (default auto)",
)

engine_flags = _all(
    engine_flag,
    click.option(
        "--builder",
        type=OneOf(["auto", "buildx", "classic"]),
        default="auto",
        help="what builds images; auto: BuildKit through docker buildx where it is installed",
    ),
    flag("--build-secrets", help="give encrypted build arguments as BuildKit secrets instead"),
    flag("--no-cache", help="build images without the layer cache"),
    flag("--pull-if-present", help="pull images that exist locally"),
    text("--cache-registry", "repository that keeps the images of services with cached: true"),
)

registry_flags = _all(
    text("--registry-ca", "PEM file of an authority to trust; repeatable", multiple=True),
    text(
        "--insecure-registry",
        "host allowed without proper TLS (host, host:port or network); repeatable",
        multiple=True,
    ),
)


def push_flags(format_flag: str) -> Callable[[Any], Any]:
    """How images are pushed; `format_flag` is what the command calls the format."""
    return _all(
        click.option(
            "--push-retries",
            type=Whole(min=0),
            metavar="int",
            default=8,
            help="how often a request or a broken layer is tried again (default 8)",
        ),
        click.option(
            "--push-timeout",
            type=Duration(),
            metavar="duration",
            default=7200.0,
            help="limit for one push, waiting included (default 2h)",
        ),
        click.option(
            "--compression",
            type=OneOf(["gzip", "zstd", "none"]),
            default=None,
            help="how layers are packed (default gzip; what is packed already stays as it is)",
        ),
        click.option(
            "--compression-level",
            type=Whole(0, 19),
            metavar="int",
            help="gzip 0 to 9, zstd 1 to 19 (default: the fastest that is worth it)",
        ),
        click.option(
            format_flag,
            "push_format",
            type=OneOf(["oci", "docker"]),
            default=None,
            help="kind of manifest (default: the image's own)",
        ),
        flag("--verify", help="ask the registry for every blob again before the tag is written"),
        text("--metadata-file", "write what was pushed to this file, as JSON", default=None),
    )


pusher_flag = click.option(
    "--pusher",
    type=OneOf(["auto", "own", "engine"]),
    default="auto",
    help="who pushes: longshore, the engine, or whoever is faster (default auto)",
)

env_flag = click.option(
    "--env",
    "-e",
    "env",
    metavar="string",
    multiple=True,
    help="set a variable K=V, or pass on your own with K; repeatable",
)

container_flags = _all(
    env_flag,
    flag("--no-remove", help="keep containers, networks and volumes"),
    flag(
        "--no-tty",
        "-T",
        "no_tty",
        help="no pseudo-terminal; steps never have one, run does on a terminal",
    ),
    click.option(
        "--health-timeout",
        type=Duration(),
        metavar="duration",
        default=3600.0,
        help="how long a dependency may take to become healthy (default 60m)",
    ),
    click.option(
        "--stop-grace",
        type=Duration(zero=True),
        metavar="duration",
        default=10.0,
        help="what a dependency gets between SIGTERM and SIGKILL (default 10s)",
    ),
)

limit_flags = _all(
    click.option(
        "--max-parallel",
        type=Whole(min=1),
        metavar="int",
        help="steps at the same time (default: the processors of the engine)",
    ),
    flag("--no-parallel", help="one step at a time"),
    flag("--fail-fast", help="stop running parallel steps when one fails"),
    click.option(
        "--timeout",
        type=Duration(),
        metavar="duration",
        help="limit for the whole run (default none)",
    ),
    click.option(
        "--step-timeout",
        type=Duration(),
        metavar="duration",
        help="limit for a step (default none)",
    ),
    click.option(
        "--quiet-timeout",
        type=Duration(),
        metavar="duration",
        help="limit for a step that writes nothing (default none)",
    ),
)

log_flags = _all(
    click.option(
        "--log-format",
        type=OneOf(["text", "json", "v1"]),
        default="text",
        help="how the log looks: text (default), json (lines), v1 (that of jet 1.x)",
    ),
    flag(
        "--timestamps",
        help="begin every line with its time, but not what the container of `run` writes",
    ),
    flag(
        "--debug",
        "-v",
        "debug",
        help="tell also why images are built, pulled or pushed as they are",
    ),
)

build_output_flag = flag(
    "--no-print-build-output", help="show the output of image builds only when they fail"
)


def flags_of_steps(function: Command) -> Command:
    """What `steps` has besides what chooses the steps, the secrets, the engine and registries."""
    decorated: Command = _all(
        container_flags,
        limit_flags,
        log_flags,
        build_output_flag,
        flag(
            "--no-print-dependency-output",
            help="show the output of dependencies only when their step fails",
        ),
        flag(
            "--keep-volumes", help="let steps share the volumes of services named in volumes_from"
        ),
        flag("--eager-push", help="upload layers while the steps before a push still run"),
        push_flags("--push-format"),
        pusher_flag,
        legacy_flags,
    )(function)
    return decorated


def accepted(*groups: Callable[[Any], Any]) -> Callable[[Command], Command]:
    """The flags of `groups`, hidden and without effect: a command line of another command works."""

    def nothing() -> None: ...

    parameters: list[click.Parameter] = getattr(_all(*groups)(nothing), "__click_params__", [])
    for parameter in parameters:
        parameter.expose_value = False
        assert isinstance(parameter, click.Option)
        parameter.hidden = True

    def decorate(function: Command) -> Command:
        known = getattr(function, "__click_params__", [])
        function.__click_params__ = [*known, *parameters]  # type: ignore[attr-defined]  # click's own
        return function

    return decorate


def pairs(values: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """``-e`` values as pairs; one without ``=`` takes our own environment's value.

    Raises UsageError for a value without a name.
    """
    split = [value.partition("=") for value in values]
    if not all(name for name, _, _ in split):
        raise UsageError("--env names no variable", hint="write for example --env KEY=value")
    return tuple((name, value if equals else None) for name, equals, value in split)
