"""The kinds of problems of services."""

from __future__ import annotations

from longshore.config import codes
from longshore.config.kind import SERVICES, Kind


def _kind(code: str, name: str, title: str, meaning: str, remedy: str, example: str) -> Kind:
    return Kind(code, name, title, meaning, remedy, example, SERVICES)


KINDS = (
    _kind(
        codes.NO_IMAGE_OR_BUILD,
        "no-image-or-build",
        "A service without image and build",
        "A service needs an image: one to build or one to pull.",
        'Add "build: ." or "image: NAME". Settings that are only merged into services belong under '
        "a key that begins with x-.",
        "app:\n  environment:\n    A: b\n",
    ),
    _kind(
        codes.IMAGE_AND_BUILD,
        "image-and-build",
        "A service with image and build",
        "A service either builds its image or uses a ready one (except in a docker-compose.yml).",
        'Remove one; to name the built image, write "image" below "build".',
        "app:\n  image: user/app\n  build: .\n",
    ),
    _kind(
        codes.BOTH_NAMES,
        "both-names",
        "A key under its old and its new name",
        "dockerfile and dockerfile_path, or context and path, stand in one build map with "
        "different values.",
        "Remove the old name.",
        "app:\n  build:\n    dockerfile: Dockerfile\n    dockerfile_path: Dockerfile.test\n",
    ),
    _kind(
        codes.IMAGE_AND_DOCKERFILE,
        "image-and-dockerfile",
        "A Dockerfile beside an image",
        "The service uses a ready image, so its dockerfile is never read.",
        "Remove one of the two.",
        "app:\n  image: user/app\n  dockerfile: Dockerfile.test\n",
    ),
    _kind(
        codes.BUILD_CONFIGURE,
        "build-configure",
        "build.configure is gone",
        "Very old files started a service before a build to prepare its files.",
        "Write a step before, whose service mounts the project directory as a volume.",
        "app:\n  build:\n    context: .\n    configure:\n      service: prepare\n",
    ),
    _kind(
        codes.IMAGE_NAME,
        "image-name",
        "Not the name of an image",
        "Image names are lower-case, [registry/][owner/]name[:tag]; no registry accepts others.",
        "Correct the name as the hint says.",
        "app:\n  build:\n    image: User/App\n",
    ),
    _kind(
        codes.VARIABLE_IN_IMAGE,
        "variable-in-image",
        "A variable in an image name",
        "Neither file expands variables, so the $ becomes part of the name.",
        "Write the name out; for a tag that changes, use image_tag of a push step.",
        "app:\n  image: user/app:${VERSION}\n",
    ),
    _kind(
        codes.NAMED_VOLUME,
        "named-volume",
        "A named volume",
        "Volumes by name are not supported, since top-level volumes are ignored. Where the project "
        "has a directory of that name it is mounted, with a warning.",
        "For a directory of the project write ./ before it; for scratch space that lives for one "
        "step write only the path in the container.",
        "db:\n  image: postgres\n  volumes:\n  - data:/var/lib/postgresql/data\n",
    ),
    _kind(
        codes.HOST_PATH,
        "host-path",
        "A volume outside the project",
        "The directory is looked for on the machine that runs the pipeline; other machines do not "
        "have it, or not the same. Neither ~ nor variables are expanded: they are taken as names.",
        "Use a directory of the project. Paths below /dev are not told.",
        "app:\n  build: .\n  volumes:\n  - /home/me/cache:/cache\n",
    ),
    _kind(
        codes.VOLUME,
        "volume",
        "Not a volume",
        "A volume is /path, or host:/path with nothing, :ro or :rw behind it. Engines take neither "
        "/ as the path in the container, nor two directories on one path.",
        "Write the path in the container from the root, and each once.",
        "app:\n  build: .\n  volumes:\n  - ./tmp:tmp\n",
    ),
    _kind(
        codes.VARIABLE_NAME,
        "variable-name",
        "Not a variable",
        "The name of a variable is empty, contains = or has blanks around it, or a list item has : "
        "instead of =.",
        "Write KEY: value in a map, - KEY=value in a list.",
        'app:\n  build: .\n  environment:\n  - "=test"\n',
    ),
    _kind(
        codes.SERVICE_IN_SERVICE,
        "undefined-dependency",
        "A service refers to an undefined service",
        "depends_on, links, volumes_from or dockercfg_service names a service that the file does "
        "not define.",
        "Correct the name, or define the service. Service names are case-sensitive.",
        "app:\n  build: .\n  depends_on:\n  - databse\ndatabase:\n  image: postgres\n",
    ),
    _kind(
        codes.CYCLE,
        "cycle",
        "Services that wait for each other",
        "Following depends_on, links, volumes_from and dockercfg_service from a service leads back "
        "to it, so none of them could be started first.",
        "Remove one of the references; containers of a step reach each other without any.",
        "app:\n  build: .\n  links:\n  - db:database\ndb:\n  image: postgres\n  links:\n  - app\n",
    ),
    _kind(
        codes.CONDITION,
        "condition",
        "A condition that is not supported",
        "depends_on may wait for service_started or service_healthy.",
        "For work that must be completed first, write a step before.",
        "app:\n  build: .\n  depends_on:\n    db:\n"
        "      condition: service_completed_successfully\ndb:\n  image: postgres\n",
    ),
    _kind(
        codes.NAMES_COLLIDE,
        "names-collide",
        "Two services get one image name",
        "Without build.image an image is called codeship_ and the service's name in lower case, "
        "with _ for characters that no image name has; two services give the same.",
        "Give one of them a build.image.",
        "web app:\n  build: ./a\nWeb_App:\n  build: ./b\n",
    ),
    _kind(
        codes.SAME_NAME,
        "same-image-name",
        "Different images under one name",
        "Two services build different images and give them the same name. Each service runs its "
        "own image, but for others the name means the one built last.",
        "Give them different names or tags.",
        "app:\n  build:\n    image: user/app\n"
        "test:\n  build:\n    image: user/app\n    dockerfile: Dockerfile.test\n",
    ),
    _kind(
        codes.HIDES_BASE,
        "hides-base",
        "An image called like its base",
        "The built image has the name of the image it is made from, and hides it on this machine: "
        "the next build would start from the previous result.",
        "Give the built image an owner: user/name.",
        "",
    ),
    _kind(
        codes.CHANGING_ARGUMENT,
        "changing-argument",
        "A build argument that always changes",
        "The argument's template holds the time, so no build finds its layers in the cache.",
        "Leave the time out, or declare the argument as late as possible in the Dockerfile.",
        'app:\n  build:\n    context: .\n    args:\n      BUILT: "{{ .StringTime }}"\n',
    ),
)
