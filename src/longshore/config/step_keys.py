"""Every key of a step (spec sections 4 and 5.1), declared once."""

from __future__ import annotations

from msgspec import Struct

from longshore.config import codes
from longshore.config.keys import Key, Keys
from longshore.config.node import Node, Scalar, Sequence
from longshore.config.report import Report
from longshore.config.shapes import Command, Flag, Items, Name, Schema, Text, wrong_type

RUN, PUSH, SERIAL, PARALLEL, MANUAL, MATRIX = (
    "run",
    "push",
    "serial",
    "parallel",
    "manual",
    "matrix",
)
TYPES = (RUN, PUSH, SERIAL, PARALLEL, MANUAL, MATRIX)
GROUPS = frozenset({SERIAL, PARALLEL, MANUAL, MATRIX})
_ALL = frozenset(TYPES)
_PUSH = frozenset({PUSH})
_PATH = Name("the path of a file")
_NAME = Name("the name of a service")


class Pattern(Name, frozen=True):
    """A value of ``tag`` or ``exclude`` (T-29, T-34); an empty one is none, as to Go."""

    what: str = 'a tag such as "master", or a pattern such as "^(master|dev)$"'

    def decode(self, node: Node, report: Report) -> str | None:
        if isinstance(node, Sequence):
            texts = "|".join(item.text for item in node.items if isinstance(item, Scalar))
            report.error(
                codes.TAG_LIST, node, f"this must be {self.what}, not a list",
                f"write '^({texts[:60]})$'",
            )  # fmt: skip
            return None
        return super().decode(node, report)


class Steps(Struct, frozen=True):
    """A list of steps, read by `longshore.config.steps`."""

    what: str = "a list of steps"
    item: str = "step"

    def decode(self, node: Node, report: Report) -> Sequence | None:
        if isinstance(node, Sequence):
            return node
        if isinstance(node, Scalar) and node.is_null:  # all of them are comments
            return Sequence(node.place, (), size=1, height=1)
        wrong_type(self.what, node, report, 'begin each step with a dash: "- service: ..."')
        return None

    def schema(self) -> Schema:
        return {"type": "array", "items": {"$ref": f"#/$defs/{self.item}"}}


class StepType(Name, frozen=True):
    """The type of a step; an unknown one is told by `longshore.config.steps`."""

    what: str = "the type of a step"

    def schema(self) -> Schema:
        return {"enum": list(TYPES)}


NAME = Key(
    name="name",
    shape=Name("the name of a step"),
    description="Name shown in the output; it should be unique.",
    example="- name: tests\n  service: app\n  command: make test",
    rule="T-13 to T-16",
    default="made from the command, the service or the type",
    steps=_ALL,
)
TYPE = Key(
    name="type",
    shape=StepType(),
    description="What the step is: run, push, serial, parallel, manual (or matrix).",
    example="- type: parallel\n  steps:\n  - {service: app, command: make test}",
    rule="T-2",
    default="run where there is a command, serial where there are steps",
    steps=_ALL,
)
SERVICE = Key(
    name="service",
    shape=_NAME,
    description="Service the step uses; a group's is used by all steps below it.",
    example="- service: app\n  command: make test",
    rule="T-4, T-21, T-22",
    steps=_ALL,
)
SERVICES = Key(
    name="services",
    shape=Items(_NAME),
    description="Services for each of which the steps of the group run.",
    example="- type: parallel\n  services: [ruby2, ruby3]\n  steps:\n  - command: rake",
    rule="T-23 to T-25",
    steps=GROUPS,
)
COMMAND = Key(
    name="command",
    shape=Command(),
    description="Command to run; split like a shell does, run without a shell.",
    example="- service: app\n  command: make test",
    rule="T-9, T-10",
    steps=frozenset({RUN}),
    required=True,
    null=True,
)
STEPS = Key(
    name="steps",
    shape=Steps(),
    description="Steps of a group.",
    example="- type: serial\n  steps:\n  - {service: app, command: make}",
    rule="T-17 to T-20, T-27",
    steps=GROUPS,
    required=True,
    null=True,
)
TAG = Key(
    name="tag",
    shape=Pattern(),
    description="The step runs only where the build tag (--tag) is this text, or matches it when "
    "it contains ^ or $. A branch is no build tag: neither --ci-branch nor the checkout counts.",
    example="- service: app\n  tag: ^(master|staging/.*)$\n  command: ./deploy.sh",
    rule="T-28 to T-31",
    steps=_ALL,
)
EXCLUDE = Key(
    name="exclude",
    shape=Pattern(),
    description="The step is skipped where the build tag (--tag) matches; stronger than tag. "
    "Without a build tag nothing is excluded.",
    example="- service: app\n  exclude: gh-pages\n  command: make test",
    rule="T-32",
    steps=_ALL,
)
ENCRYPTED_DOCKERCFG_PATH = Key(
    name="encrypted_dockercfg_path",
    shape=_PATH,
    description="Encrypted registry credentials for pushing and pulling.",
    example="- service: app\n  type: push\n  image_name: user/app\n"
    "  encrypted_dockercfg_path: dockercfg.encrypted",
    rule="S-53, P-6",
    steps=_ALL,
)
DOCKERCFG_SERVICE = Key(
    name="dockercfg_service",
    shape=_NAME,
    description="Service that writes registry credentials when they are needed.",
    example="- service: app\n  type: push\n  image_name: user/app\n  dockercfg_service: generator",
    rule="P-29",
    steps=_ALL,
)
DOCKERCFG_PATH = Key(
    name="dockercfg_path",
    shape=_PATH,
    description="Registry credentials in a plain file.",
    example="- service: app\n  type: push\n  image_name: user/app\n  dockercfg_path: dockercfg",
    rule="section 5.1",
    steps=_ALL,
)
ON_FAIL = Key(
    name="on_fail",
    shape=Steps("a list of run steps", "run"),
    description="Steps that run when this step fails; they cannot change the result.",
    example="- service: app\n  command: make test\n  on_fail:\n  - command: ./collect-logs.sh",
    rule="T-41 to T-43",
    steps=_ALL,
)
IMAGE_NAME = Key(
    name="image_name",
    shape=Text("the name of an image"),
    description="Repository to push to: [registry/][owner/]name.",
    example="- service: app\n  type: push\n  image_name: user/app",
    rule="P-7 to P-11",
    steps=_PUSH,
    required=True,
    null=True,
)
IMAGE_TAG = Key(
    name="image_tag",
    shape=Items(Text("a tag"), lone=True),
    description="Tag (or tags) to push; may be a Go template such as {{ .Branch }}. Its fields are "
    "those of build arguments, and StepName.",
    example='- service: app\n  type: push\n  image_name: user/app\n  image_tag: "{{ .Branch }}"',
    rule="P-12, P-13",
    default="latest",
    steps=_PUSH,
)
REGISTRY = Key(
    name="registry",
    shape=Text("a registry"),
    description="Registry to log in to.",
    example="- service: app\n  type: push\n  image_name: quay.io/user/app\n  registry: quay.io",
    rule="P-5, P-17 to P-19",
    default="the host in image_name, else Docker Hub",
    steps=_PUSH,
)
EAGER = Key(
    name="eager",
    shape=Flag(),
    description="Uploads the image's layers while the steps before still run (--eager-push).",
    example="- service: app\n  type: push\n  image_name: user/app\n  eager: true",
    rule="an extension of longshore",
    default="false",
    steps=_PUSH,
)

STEP_KEYS = Keys(
    "a step",
    (
        *(NAME, TYPE, SERVICE, SERVICES, COMMAND, STEPS, TAG, EXCLUDE, IMAGE_NAME, IMAGE_TAG),
        *(REGISTRY, EAGER, ENCRYPTED_DOCKERCFG_PATH, DOCKERCFG_SERVICE, DOCKERCFG_PATH, ON_FAIL),
    ),
    file="steps",
    elsewhere={
        "encrypted_env_file": "environment files belong to the service, in the services file",
        "env_file": "environment files belong to the service, in the services file",
        "environment": "variables belong to the service, in the services file",
        "volumes": "volumes belong to the service, in the services file",
        "entrypoint": "it belongs to the service, in the services file",
        "working_dir": "it belongs to the service, in the services file",
        "cached": "it belongs to the service, in the services file",
        "build": "services are defined in the services file",
        "image": 'the service to use is named by "service", the target of a push by "image_name"',
        "branch": 'the key is called "tag"',
        "encryped_dockercfg": 'the key is called "encrypted_dockercfg_path"',
        "encrypted_dockercfg": 'the key is called "encrypted_dockercfg_path"',
    },
)
