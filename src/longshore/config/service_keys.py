"""Every key of a service and of its ``build`` map (spec sections 2 and 3.5), declared once."""

from __future__ import annotations

from longshore.config import by_hand
from longshore.config.keys import Key, Keys, Status, ignored
from longshore.config.model import EncryptedValues
from longshore.config.service_shapes import (
    BuildShape,
    Dependencies,
    Encrypted,
    EnvFile,
    Hosts,
    Ports,
    parse_link,
    parse_working_dir,
)
from longshore.config.shapes import Checked, Command, Flag, Items, Name, Number, Size, Text
from longshore.config.variable_shapes import Variables
from longshore.config.volume_shapes import Volumes

_PATH = Text("the path of a file")
_PATHS = Items(Name("the path of a file"), lone=True)
_NAME = Name("the name of a service")
_CREDENTIALS = Name("the path of a file")
_TEXTS = Items(Text(), lone=True)

BUILD = Key(
    name="build",
    shape=BuildShape(),
    description="Builds the image: a context directory, or a map of the keys below.",
    example="app:\n  build: .",
    rule="S-1, S-2",
)
IMAGE = Key(
    name="image",
    shape=Text("the name of an image"),
    description="Image to use: one an earlier build made under this name, a local or a pulled one.",
    example="db:\n  image: postgres:16",
    rule="S-12, S-13",
)
SERVICE_DOCKERFILE = Key(
    name="dockerfile",
    shape=_PATH,
    description="Dockerfile of a service whose build is only a directory.",
    example="app:\n  build: .\n  dockerfile: Dockerfile.test",
    rule="S-7",
    status=Status.DEPRECATED,
    instead="build: {dockerfile: ...}",
    by_hand=by_hand.dockerfile,
    told=lambda service: "image" in service and "build" not in service,
)
COMMAND = Key(
    name="command",
    shape=Command(),
    description="Command of the service when it runs as a dependency; split like a shell, run "
    "without one.",
    example="db:\n  image: redis\n  command: redis-server --save ''",
    rule="S-14, T-9",
    default="the image's CMD",
)
ENTRYPOINT = Key(
    name="entrypoint",
    shape=Command(),
    description='Program put before every command; "" and [] clear the image\'s.',
    example='ps:\n  image: busybox\n  entrypoint: ["ps"]',
    rule="S-15",
    default="the image's ENTRYPOINT",
)
WORKING_DIR = Key(
    name="working_dir",
    shape=Checked("a directory in the container", parse_working_dir),
    description="Directory in which commands run.",
    example="app:\n  build: .\n  working_dir: /src",
    rule="S-17",
    default="the image's WORKDIR",
)
HOSTNAME = Key(
    name="hostname",
    shape=Text("a host name"),
    description="Host name the container has of itself.",
    example="app:\n  build: .\n  hostname: app.test",
    rule="S-18",
)
USER = Key(
    name="user",
    shape=Text("a user"),
    description="User (and group) the command runs as.",
    example='app:\n  build: .\n  user: "1000:1000"',
    rule="S-19",
    default="the image's USER",
)
ENVIRONMENT = Key(
    name="environment",
    shape=Variables(),
    description="Variables of the container; one without a value is taken from your own "
    "environment.",
    example="app:\n  build: .\n  environment:\n    RAILS_ENV: test",
    rule="S-20, S-24",
)
ENV_FILE = Key(
    name="env_file",
    shape=Items(EnvFile("the path of a file"), lone=True),
    description="Files of KEY=VALUE lines; later files override earlier ones.",
    example="app:\n  build: .\n  env_file: test.env",
    rule="S-21, S-22",
)
ENCRYPTED_ENVIRONMENT: Key[EncryptedValues] = Key(
    name="encrypted_environment",
    shape=Encrypted(),
    description="Variables whose values are encrypted one by one.",
    example="app:\n  build: .\n  encrypted_environment:\n    TOKEN: q83v...",
    rule="S-23",
)
ENCRYPTED_ENV_FILE = Key(
    name="encrypted_env_file",
    shape=_PATHS,
    description='Files of KEY=VALUE lines encrypted with "longshore encrypt".',
    example="app:\n  build: .\n  encrypted_env_file: app.env.encrypted",
    rule="S-21, S-22",
)
ENCRYPTED_ENV = Key(
    name="encrypted_env",
    shape=_PATHS,
    description="A mistake of old documentation; read as encrypted_env_file.",
    example="app:\n  build: .\n  encrypted_env: app.env.encrypted",
    rule="S-27",
    status=Status.DEPRECATED,
    instead="encrypted_env_file",
    by_hand=by_hand.encrypted_env,
)
VOLUMES = Key(
    name="volumes",
    shape=Volumes(),
    description="Host directories (relative to the services file) and anonymous volumes.",
    example="app:\n  build: .\n  volumes:\n    - ./tmp:/artifacts",
    rule="S-37, S-38",
)
VOLUMES_FROM = Key(
    name="volumes_from",
    shape=Items(_NAME),
    description="Services whose volumes are mounted here too.",
    example="app:\n  build: .\n  volumes_from:\n    - data",
    rule="S-39",
)
DEPENDS_ON = Key(
    name="depends_on",
    shape=Dependencies(),
    description="Services started before this one; those with a health check must be healthy.",
    example="app:\n  build: .\n  depends_on:\n    - db",
    rule="S-29, S-34",
)
LINKS = Key(
    name="links",
    shape=Items(Checked('"service" or "service:alias"', parse_link)),
    description="Services started before this one, with an alias and the variables of old links.",
    example="app:\n  build: .\n  links:\n    - db:database",
    rule="S-30, S-31",
    status=Status.DEPRECATED,
    instead="depends_on",
    by_hand=by_hand.links,
)
ADD_DOCKER = Key(
    name="add_docker",
    shape=Flag(),
    description="Gives the container the engine's socket and DOCKER_* variables.",
    example="app:\n  build: .\n  add_docker: true",
    rule="S-48, S-49",
    default="false",
)
CACHED = Key(
    name="cached",
    shape=Flag(),
    description="Takes part in the image cache that --cache-registry names, one a service and "
    "branch: that of --ci-branch (or --ci-from-scm), else --tag, else of the default branch.",
    example="app:\n  build: .\n  cached: true",
    rule="S-51",
    default="false",
)
DEFAULT_CACHE_BRANCH = Key(
    name="default_cache_branch",
    shape=Text("a branch"),
    description="Branch whose cache is used when the built branch has none, or is not known, as in "
    "a checkout on no branch.",
    example="app:\n  build: .\n  cached: true\n  default_cache_branch: main",
    rule="S-51",
    default="master",
)
ENCRYPTED_DOCKERCFG_PATH = Key(
    name="encrypted_dockercfg_path",
    shape=_CREDENTIALS,
    description="Encrypted registry credentials for pulling images and base images.",
    example="app:\n  build: .\n  encrypted_dockercfg_path: dockercfg.encrypted",
    rule="S-52, P-26",
)
DOCKERCFG_SERVICE = Key(
    name="dockercfg_service",
    shape=_NAME,
    description="Service that writes registry credentials when they are needed.",
    example="app:\n  build: .\n  dockercfg_service: generator",
    rule="S-52, P-29",
)
DOCKERCFG_PATH = Key(
    name="dockercfg_path",
    shape=_CREDENTIALS,
    description="Registry credentials in a plain file.",
    example="app:\n  build: .\n  dockercfg_path: dockercfg",
    rule="section 2.1",
)
PORTS = Key(
    name="ports",
    shape=Ports(),
    description='Ports to publish; only "longshore run --publish" does.',
    example='app:\n  build: .\n  ports:\n    - "8080:80"',
    rule="S-55",
    status=Status.IGNORED,
    why="the containers of a step reach each other without it; remove it, or use "
    '"longshore run --publish"',
)


def _list(name: str, description: str, value: str) -> Key[tuple[str, ...]]:
    example = f'app:\n  build: .\n  {name}:\n    - "{value}"'
    return Key(name=name, shape=_TEXTS, description=description, example=example, rule="S-19")


CAP_ADD = _list("cap_add", "Kernel capabilities to add.", "SYS_PTRACE")
CAP_DROP = _list("cap_drop", "Kernel capabilities to take away.", "NET_RAW")
DNS = _list("dns", "Name servers.", "10.0.0.53")
DNS_SEARCH = _list("dns_search", "Domains searched for short names.", "example.com")
SECURITY_OPT = _list("security_opt", "Security options of the engine.", "seccomp=unconfined")
EXTRA_HOSTS = Key(
    name="extra_hosts",
    shape=Hosts(),
    description="Further lines of /etc/hosts.",
    example='app:\n  build: .\n  extra_hosts:\n    - "api.test:10.0.0.7"',
    rule="S-19",
)
SHM_SIZE = Key(
    name="shm_size",
    shape=Size(),
    description="Size of /dev/shm.",
    example="chrome:\n  build: .\n  shm_size: 1g",
    rule="S-19",
    default="64m",
)
MEM_LIMIT = Key(
    name="mem_limit",
    shape=Size(),
    description="Most memory the container may use.",
    example="app:\n  build: .\n  mem_limit: 512m",
    rule="S-19",
)
CPU_SHARES = Key(
    name="cpu_shares",
    shape=Number(),
    description="Weight of the container when processors are short.",
    example="app:\n  build: .\n  cpu_shares: 512",
    rule="S-19",
    default="1024",
)
READ_ONLY = Key(
    name="read_only",
    shape=Flag(),
    description="Makes the container's file system read-only.",
    example="app:\n  build: .\n  read_only: true",
    rule="S-19",
    default="false",
)


SERVICE_KEYS = Keys(
    "a service",
    (
        *(BUILD, IMAGE, SERVICE_DOCKERFILE, COMMAND, ENTRYPOINT, WORKING_DIR, HOSTNAME, USER),
        *(ENVIRONMENT, ENV_FILE, ENCRYPTED_ENVIRONMENT, ENCRYPTED_ENV_FILE, ENCRYPTED_ENV),
        *(VOLUMES, VOLUMES_FROM, DEPENDS_ON, LINKS, ADD_DOCKER, CACHED, DEFAULT_CACHE_BRANCH),
        *(ENCRYPTED_DOCKERCFG_PATH, DOCKERCFG_SERVICE, DOCKERCFG_PATH, PORTS),
        *(CAP_ADD, CAP_DROP, DNS, DNS_SEARCH, SECURITY_OPT, EXTRA_HOSTS, SHM_SIZE, MEM_LIMIT),
        *(CPU_SHARES, READ_ONLY),
        *ignored("privileged", "it never had an effect in CodeShip", "S-19, S-54"),
        *ignored("expose", "containers of a step reach every port of each other", "S-19"),
        *ignored("external_links stdin_open", "a step's containers have no links to the host"),
        *ignored("labels", "labels belong into the Dockerfile"),
        *ignored("healthcheck", "health checks belong into the Dockerfile (HEALTHCHECK)", "S-43"),
        *ignored("container_name", "containers are named after service and step"),
        *ignored(
            "networks network_mode mac_address",
            "the containers of a step reach one another by their services' names",
        ),
        *ignored("restart", "a step's containers are started once", "F-18"),
        *ignored("profiles deploy platform secrets configs", "compose feature", "Q-26"),
        *ignored(
            "cgroup_parent cpu_quota cpuset devices domainname extends group_add init ipc "
            "isolation logging log_driver log_opt memswap_limit mem_swappiness oom_scope_adj pid "
            "stop_signal stop_grace_period tty tmpfs ulimits volume_driver",
            "this compose setting never had an effect in CodeShip",
        ),
    ),
    elsewhere={
        "args": 'build arguments stand below "build:"',
        "encrypted_args": 'it stands below "build:"',
        "encrypted_args_file": 'it stands below "build:"',
        "context": 'it stands below "build:"',
        "path": 'it stands below "build:", where it is called "context"',
        "dockerfile_path": 'it stands below "build:", where it is called "dockerfile"',
        "steps": "steps stand in the steps file",
        "service": "steps stand in the steps file",
        "image_name": "push steps stand in the steps file",
        "cache": 'the key is called "cached"',
        "env-file": 'the key is called "env_file"',
    },
)
