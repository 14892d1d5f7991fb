"""What the keys of a service mean: their values as read, and what is told of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from longshore.config.load import load
from longshore.config.model import BuildEntry, Condition, ServiceEntry, VolumeEntry

from .conftest import Read, errors

_SERVICE = "app:\n  image: busybox\n"


def service(read: Read, text: str) -> ServiceEntry:
    found = read(text)
    assert found.project is not None, found.problems
    return next(iter(found.project.services.services.values()))


def test_a_volume_without_a_slash_is_the_directory_of_that_name_where_there_is_one(
    read: Read, tmp_path: Path
) -> None:
    text = f"{_SERVICE}  volumes:\n  - scripts:/scripts:ro\n"
    (tmp_path / "scripts").mkdir()
    found = read(text)
    assert found.project is not None
    assert service(read, text).volumes == (
        VolumeEntry(host="scripts", container="/scripts", read_only=True),
    )
    (warning,) = found.problems
    assert str(warning) == (
        'codeship-services.yml:4:5: warning: "scripts" is taken for the directory of that name, '
        "not for a named volume"
    )
    assert warning.hint == 'write "./scripts:/scripts"'


def test_a_missing_file_that_is_mounted_is_told(read: Read) -> None:
    found = read(
        f"{_SERVICE}  volumes: [./my.cnf:/etc/my.cnf, ./conf.d:/etc/conf.d, ./tmp:/a.sql]\n"
    )
    assert [str(problem) for problem in found.problems] == [
        'codeship-services.yml:3:13: warning: volume "./my.cnf" does not exist'
    ]


def test_a_volume_of_a_name_that_is_no_directory_is_refused(read: Read, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    (fault,) = errors(read(f"{_SERVICE}  volumes:\n  - data:/data\n"))
    assert fault.startswith('codeship-services.yml:4:5: error: named volume "data" is not')


def test_a_dockerfile_that_is_a_pipe_is_told_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "codeship-services.yml").write_text("app:\n  build: .\n")
    os.mkfifo(tmp_path / "Dockerfile")
    found = load(tmp_path, need_steps=False)
    assert [p.message for p in found.problems] == [
        'Dockerfile "Dockerfile" cannot be read in context "."'
    ]


def test_a_whole_service_is_read(read: Read) -> None:
    entry = service(
        read,
        "app:\n  build:\n    image: user/app:1.10\n    context: ./\n    args:\n    - V=08\n"
        "    - W\n"
        "  command: bash -c \"echo 'a b'\"\n  entrypoint: ''\n  environment:\n"
        "    N: 010\n    T: true\n"
        "    E:\n  volumes: [./a:/b:ro, /c, './d:/d:Z,rw,nocopy']\n"
        "  depends_on:\n    db: {condition: service_healthy}\n"
        "  add_docker: 'Yes'\n  shm_size: 64m\ndb: {image: postgres}\n",
    )
    assert isinstance(entry.build, BuildEntry)
    assert entry.build.args == (("V", "08"), ("W", None))
    assert entry.build.image == "user/app:1.10"
    assert entry.command == ("bash", "-c", "echo 'a b'")
    assert entry.entrypoint == ()
    assert entry.environment == (("N", "010"), ("T", "true"), ("E", None))
    assert entry.volumes == (
        VolumeEntry(host="./a", container="/b", read_only=True),
        VolumeEntry(host=None, container="/c"),
        VolumeEntry(host="./d", container="/d", modes=("Z",)),
    )
    assert entry.depends_on[0].condition is Condition.HEALTHY
    assert (entry.add_docker, entry.shm_size) == (True, 64 * 1024**2)
    assert str(entry.where("build", "args", "V")) == "codeship-services.yml:6:7"
    assert str(entry.where("volumes", 1)) == "codeship-services.yml:14:24"
    assert entry.where("working_dir") == entry.place


def test_ports_written_as_maps_are_read_as_those_written_as_texts(read: Read) -> None:
    """Q-11: compose's long form was left out without a word."""
    ports = (
        "[8080:80, 81, {target: 81, published: 18082}, {target: 82, mode: host}, {published: 83}, "
        "{target: 53, published: '53-54', host_ip: '::1', protocol: udp}, {target: 84, host_ip: a}]"
    )
    assert service(read, f"app: {{build: ., ports: {ports}}}\n").ports == (
        *("8080:80", "81", "18082:81", "82", "83:"),
        *("::1:53-54:53/udp", "a::84"),
    )


@pytest.mark.parametrize("empty", ['""', "[]"])
def test_an_empty_entrypoint_clears_that_of_the_image(read: Read, empty: str) -> None:
    """S-15."""
    assert service(read, f"app:\n  image: a\n  entrypoint: {empty}\n").entrypoint == ()


@pytest.mark.parametrize("nothing", ["", "null", "~", "Null"])
def test_an_entrypoint_without_a_value_keeps_that_of_the_image(read: Read, nothing: str) -> None:
    """As in compose, whose specification tells null from an empty list; quoted, it is a program of
    that name (F-16)."""
    found = read(f"app:\n  image: a\n  entrypoint: {nothing}\n", "- {service: app, command: a}\n")
    assert [problem.code for problem in found.problems] == ["LS025"]
    assert service(read, f"app:\n  image: a\n  entrypoint: {nothing}\n").entrypoint is None
    assert service(read, "app:\n  image: a\n  entrypoint: 'null'\n").entrypoint == ("null",)


def test_a_service_whose_image_would_have_too_long_a_name_is_told(read: Read) -> None:
    found = read(f"a: {{image: b}}\n? {'x' * 250}\n: {{build: .}}\n")
    assert [(p.code, p.place.line) for p in found.problems] == [("LS035", 2)]


def test_the_env_files_of_compose_are_taken_by_their_path(read: Read) -> None:
    """Of compose's objects the rest is ignored with a warning (Q-26)."""
    text = "a:\n  image: b\n  env_file:\n  - one\n  - path: two\n    required: false\n"
    found = read(text)
    assert found.project is not None
    assert found.project.services.services["a"].env_file == ("one", "two")
    told = [(p.code, p.place.line) for p in found.problems]
    assert told == [("LS016", 4), ("LS016", 5), ("LS023", 6)]


@pytest.mark.parametrize("item", ["{}", "{required: false}", "{path: }", "{path: [a]}"])
def test_an_env_file_without_a_path_is_told(read: Read, item: str) -> None:
    assert len(errors(read(f"a:\n  image: b\n  env_file: [{item}]\n"))) == 1


@pytest.mark.parametrize(
    "key",
    [
        "image: b, env_file: ''",
        "image: b, encrypted_env_file: ''",
        "build: {context: ., encrypted_args_file: ''}",
    ],
)
def test_a_file_without_a_name_is_none_and_told(read: Read, key: str) -> None:
    (problem,) = read(f"a: {{{key}}}").problems
    assert problem.code == "LS025"


@pytest.mark.parametrize("nothing", ["", "~", "null"])
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a:\n  image: b\n  environment:\n  - {}\n", "LS025"),
        ("a:\n  image: b\n  encrypted_environment:\n  - {}\n", "LS025"),
        ("a:\n  build:\n    args:\n    - {}\n", "LS025"),
        ("a:\n  image: b\n  environment:\n    ? {}\n    : c\n", "LS040"),
    ],
)
def test_nothing_is_no_name_of_a_variable(read: Read, text: str, code: str, nothing: str) -> None:
    (problem,) = read(text.format(nothing)).problems
    assert (problem.code, problem.severity) == (code, "error")


@pytest.mark.parametrize("item", ["RAILS_ENV:test", "A:", "A: b"])
def test_a_colon_in_place_of_the_equals_sign_is_told_with_blanks_or_without(
    read: Read, item: str
) -> None:
    """S-20: it would be a variable of the host, and of such a name there is none."""
    (problem,) = read(f"a: {{image: b, environment: ['{item}']}}\n").problems
    assert (problem.code, problem.message) == ("LS040", 'this must be "KEY=value"')


def test_blanks_around_a_name_in_a_list_are_taken_off_and_told_without_the_value(
    read: Read,
) -> None:
    found = read("a: {image: b, environment: [KEY2 = hunter2, ' A=1', B=2]}\n")
    assert found.project is not None
    environment = found.project.services.services["a"].environment
    assert environment == (("KEY2", " hunter2"), ("A", "1"), ("B", "2"))
    assert [(p.code, p.severity) for p in found.problems] == [("LS040", "warning")] * 2
    assert "hunter2" not in repr(found.problems)


@pytest.mark.parametrize(
    ("base", "own", "used"),
    [
        ("dockerfile_path: D", "dockerfile: E", "E"),
        ("dockerfile: D", "dockerfile_path: E", "E"),
        ("path: d", "context: e", "e"),
        ("dockerfile: D, dockerfile_path: D", "dockerfile: E", "E"),
        ("image: d, context: .", "name: e", "e"),
        ("name: d", "image: e", "e"),
        ("image: d, name: c", "name: e", "e"),
    ],
)
def test_a_local_key_wins_over_a_merged_one_of_another_name(
    read: Read, base: str, own: str, used: str
) -> None:
    """F-15: the original took this for the conflict of S-8."""
    found = read(f"a:\n  build: &b {{{base}}}\nt:\n  build:\n    <<: *b\n    {own}\n")
    assert errors(found) == []
    assert found.project is not None
    build = found.project.services.services["t"].build
    assert build is not None
    assert used in (build.image, build.dockerfile, build.context)


@pytest.mark.parametrize("keys", ["image: d, name: e", "<<: {image: d, name: e}"])
def test_of_an_image_s_two_names_in_one_map_the_new_one_counts(read: Read, keys: str) -> None:
    """S-3."""
    build = service(read, f"app: {{build: {{{keys}}}}}\n").build
    assert build is not None
    assert build.image == "d"


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  build:\n    dockerfile: D\n    dockerfile_path: E\n",
        "x-b: &b {dockerfile: D, dockerfile_path: E}\na:\n  build:\n    <<: *b\n",
    ],
)
def test_two_names_in_one_map_with_different_values_are_an_error(read: Read, text: str) -> None:
    assert ["are specified. Please specify one" in told for told in errors(read(text))] == [True]
