"""Every key of a service's ``build`` map (spec sections 2.2 and 3.5), declared once."""

from __future__ import annotations

from longshore.config.by_hand import beside
from longshore.config.keys import Key, Keys, Status, differs, ignored
from longshore.config.shapes import Items, Name, Text
from longshore.config.variable_shapes import Variables

_PATH = Text("the path of a file")
_PATHS = Items(Name("the path of a file"), lone=True)

BUILD_IMAGE = Key(
    name="image",
    shape=Text("the name of an image"),
    description="Name the built image gets.",
    example="app:\n  build:\n    image: user/app",
    rule="I-1, I-2",
    default="codeship_SERVICE",
)
BUILD_NAME = Key(
    name="name",
    shape=Text("the name of an image"),
    description="Old name of image.",
    example="app:\n  build:\n    name: user/app",
    rule="S-3",
    status=Status.DEPRECATED,
    instead="image",
    by_hand=beside("image"),
)
CONTEXT = Key(
    name="context",
    shape=Text("a directory"),
    description="Directory sent to the build; COPY and ADD read from it.",
    example="app:\n  build:\n    context: ./app",
    rule="S-4",
    default="the directory of the services file",
)
PATH = Key(
    name="path",
    shape=Text("a directory"),
    description="Old name of context.",
    example="app:\n  build:\n    path: ./app",
    rule="S-2",
    status=Status.DEPRECATED,
    instead="context",
    by_hand=beside("context"),
    told=differs("path", "context"),
)
DOCKERFILE = Key(
    name="dockerfile",
    shape=_PATH,
    description="Dockerfile, relative to the context.",
    example="app:\n  build:\n    dockerfile: Dockerfile.test",
    rule="S-5",
    default="Dockerfile",
)
DOCKERFILE_PATH = Key(
    name="dockerfile_path",
    shape=_PATH,
    description="Old name of dockerfile.",
    example="app:\n  build:\n    dockerfile_path: Dockerfile.test",
    rule="S-2",
    status=Status.DEPRECATED,
    instead="dockerfile",
    by_hand=beside("dockerfile"),
    told=differs("dockerfile_path", "dockerfile"),
)
ARGS = Key(
    name="args",
    shape=Variables(),
    description="Build arguments; one without a value is taken from your own environment, or left "
    "out. Values may be Go templates such as {{ .Branch }}. The fields are "
    "ProjectID, BuildID, RepoName, Branch, Commit, CommitID, CommitMessage, CommitDescription, "
    "CommitterName, CommitterEmail, CommitterUsername, PrNumber, PullRequest, Time, Timestamp, "
    "StringTime, Ci, CiName, ServiceName and ImageName.",
    example='app:\n  build:\n    args:\n      BRANCH: "{{ .Branch }}"',
    rule="I-14, I-15",
)
ENCRYPTED_ARGS = Key(
    name="encrypted_args",
    shape=Text("one encrypted text"),
    description="Encrypted KEY=VALUE lines of build arguments, in the file itself.",
    example="app:\n  build:\n    encrypted_args: q83v...",
    rule="I-16, I-17",
)
ENCRYPTED_ARGS_FILE = Key(
    name="encrypted_args_file",
    shape=_PATHS,
    description="Encrypted file of KEY=VALUE lines of build arguments.",
    example="app:\n  build:\n    encrypted_args_file: args.encrypted",
    rule="I-16, I-17",
)

BUILD_KEYS = Keys(
    '"build"',
    (
        *(BUILD_IMAGE, CONTEXT, DOCKERFILE, ARGS, ENCRYPTED_ARGS, ENCRYPTED_ARGS_FILE),
        *(PATH, DOCKERFILE_PATH, BUILD_NAME),
        *ignored("target cache_from labels network shm_size", "compose feature", "S-2"),
    ),
    elsewhere={
        "cached": 'it stands beside "build:", in the service',
        "cache": 'the key is called "cached" and stands beside "build:"',
        "context_path": 'the key is called "context"',
        "environment": 'it stands beside "build:", in the service',
        "volumes": 'it stands beside "build:", in the service',
        "command": 'it stands beside "build:", in the service',
        "encrypted_env_file": 'it stands beside "build:", in the service',
        "env_file": 'it stands beside "build:", in the service',
        "add_docker": 'it stands beside "build:", in the service',
        "depends_on": 'it stands beside "build:", in the service',
        "links": 'it stands beside "build:", in the service',
        "working_dir": 'it stands beside "build:", in the service',
    },
)
