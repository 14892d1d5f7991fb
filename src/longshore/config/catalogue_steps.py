"""The kinds of problems of steps, and of templates."""

from __future__ import annotations

from longshore.config import codes
from longshore.config.kind import SERVICES, Kind

KINDS = (
    Kind(
        codes.NO_COMMAND,
        "no-command",
        "A step that does nothing",
        "A step has a command, or type: push, or it is a group with steps.",
        "Add what is missing.",
        "- service: app\n  name: test\n",
    ),
    Kind(
        codes.UNKNOWN_TYPE,
        "unknown-type",
        "An unknown type of step",
        "The type is none of run, push, serial, parallel, manual, matrix.",
        "Correct it.",
        "- type: paralel\n  steps:\n  - service: app\n    command: ls\n",
    ),
    Kind(
        codes.NO_SERVICE,
        "no-service",
        "A step without a service",
        "A run or push step uses a service: its own, or that of a group above it.",
        'Add "service: NAME".',
        "- command: ls\n",
    ),
    Kind(
        codes.SERVICE_AND_SERVICES,
        "service-and-services",
        "Both service and services",
        '"service" gives the steps of a group one service; "services" repeats them for each of '
        "several.",
        "Remove one.",
        "- type: serial\n  service: app\n  services: [app, db]\n  steps:\n  - command: ls\n",
    ),
    Kind(
        codes.SERVICE_IN_STEP,
        "undefined-service",
        "A step refers to an undefined service",
        "The services file does not define the service (or generator of credentials) that the step "
        "names.",
        "Correct the name; the hint lists what is defined. A step's name is no service.",
        "- service: ap\n  command: ls\n",
    ),
    Kind(
        codes.GROUP_SETS_SERVICE,
        "group-sets-service",
        "A service inside a group that sets another",
        "Steps below a group with service or services use the group's; they cannot have another.",
        "Remove it from the step, or from the group and give each of its steps one.",
        "- type: serial\n  service: app\n  steps:\n  - service: db\n    command: ls\n",
    ),
    Kind(
        codes.SERVICE_REPEATED,
        "service-repeated",
        "The group's service repeated",
        "The step names the service its group sets already; CodeShip refused this.",
        "Remove it from the step.",
        "- type: serial\n  service: app\n  steps:\n  - service: app\n    command: ls\n",
    ),
    Kind(
        codes.NO_STEPS,
        "no-steps",
        "A group without steps",
        "A serial, parallel, manual or matrix step is a group and needs steps.",
        "Add steps, or remove the group.",
        "- type: parallel\n  service: app\n",
    ),
    Kind(
        codes.SAME_STEP_NAME,
        "same-step-name",
        "Two steps of one name",
        "Two steps of one group have the same name, and both may run: the log numbers the second, "
        "and --only takes both. Other groups, and steps of other tags, may repeat a name.",
        "Rename one.",
        "- name: test\n  service: app\n  command: ls\n"
        "- name: test\n  service: app\n  command: make\n",
    ),
    Kind(
        codes.EMPTY_COMMAND,
        "empty-command",
        "An empty command",
        "Nothing is left to run after splitting the command into words.",
        "Write a command; /bin/true does nothing successfully.",
        '- service: app\n  command: ""\n',
    ),
    Kind(
        codes.QUOTE,
        "open-quote",
        "A quote that is not closed",
        "The command is split into words like a shell does, and a quote in it has no end.",
        "Close the quote, or put a backslash before it.",
        "- service: app\n  command: echo it's late\n",
    ),
    Kind(
        codes.SHELL_SYNTAX,
        "shell-syntax",
        "Shell syntax without a shell",
        "Commands are split into words and run directly. &&, |, > and $NAME mean nothing then: the "
        "program gets them as arguments.",
        'Put the command into sh -c "…", or into a script of the image.',
        "- service: app\n  command: make test && make lint\n",
    ),
    Kind(
        codes.NO_IMAGE_NAME,
        "no-image-name",
        "A push step without image_name",
        "A push step names the repository it pushes to.",
        'Add "image_name: [registry/]owner/name".',
        "- service: app\n  type: push\n",
    ),
    Kind(
        codes.TAG_TWICE,
        "tag-twice",
        "A tag in image_name and image_tag",
        "The image to push has a tag in its name and another in image_tag. Equal ones are only "
        "warned about.",
        "Remove one.",
        '- service: app\n  type: push\n  image_name: user/app:1\n  image_tag: "2"\n',
    ),
    Kind(
        codes.TAG_LIST,
        "tag-list",
        "A list of tags",
        "tag and exclude take one text.",
        "Write a pattern: ^(a|b)$.",
        "- service: app\n  tag: [master, develop]\n  command: ls\n",
    ),
    Kind(
        codes.NO_ANCHOR,
        "no-anchor",
        "A pattern without anchor",
        "A tag is a pattern only when it contains ^ or $; this one is compared letter by letter "
        "and most likely never matches.",
        "Add ^ and $.",
        "- service: app\n  tag: v.*\n  command: ls\n",
    ),
    Kind(
        codes.REGEX,
        "regex",
        "A pattern that cannot be read",
        "The pattern is no RE2 expression (no look-ahead, no back references), so it never "
        "matches.",
        "Correct it.",
    ),
    Kind(
        codes.MANUAL_TWICE,
        "manual-twice",
        "Two manual groups for one build",
        "At most one manual group may apply to a build tag.",
        "Give them tags that exclude each other.",
        "- type: manual\n  tag: master\n  service: app\n  steps:\n  - command: ls\n"
        "- type: manual\n  tag: master\n  service: app\n  steps:\n  - command: ls\n",
    ),
    Kind(
        codes.MANUAL_NOT_LAST,
        "manual-not-last",
        "A step after a manual group",
        "A manual group must be the last thing of the pipeline: approval starts another run.",
        "Move it to the end, or give both tags that exclude each other.",
        "- type: manual\n  service: app\n  steps:\n  - command: ls\n"
        "- service: app\n  command: ls\n",
    ),
    Kind(
        codes.KEY_OF_OTHER_TYPE,
        "key-of-other-type",
        "A key of another type of step",
        "The key belongs to steps of another type and has no effect here.",
        "Remove it, or correct the type.",
        "- service: app\n  command: ls\n  registry: quay.io\n",
    ),
    Kind(
        codes.MATRIX,
        "matrix",
        "type: matrix is deprecated",
        "It does what type: parallel with services does.",
        "Write parallel.",
        "- type: matrix\n  services: [app, db]\n  steps:\n  - command: ls\n",
    ),
    Kind(
        codes.ON_FAIL,
        "on-fail",
        "on_fail takes run steps only",
        "Steps of on_fail run a command; they can neither push nor be groups.",
        "Write one entry for each command.",
        "- service: app\n  command: ls\n  on_fail:\n  - type: push\n    image_name: a/b\n",
    ),
    Kind(
        codes.TEMPLATE,
        "template",
        "A template that cannot be expanded",
        "The value of a build argument is no Go template, or names an unknown field or function.",
        "Correct it; the fields are listed in the reference of args and image_tag.",
        'app:\n  build:\n    context: .\n    args:\n      A: "{{ .Branch"\n',
        SERVICES,
    ),
    Kind(
        codes.TEMPLATE_FIELD,
        "template-field",
        "An unknown template field",
        "The template names a field that does not exist.",
        "Correct the name; fields are case-sensitive.",
        'app:\n  build:\n    context: .\n    args:\n      A: "{{ .branch }}"\n',
        SERVICES,
    ),
    Kind(
        codes.EMPTY_TAG,
        "empty-tag",
        "An image tag that is empty or incomplete",
        "After expanding the template and removing illegal characters nothing is left of "
        "image_tag, or a field of it has no value that every build on CodeShip had. It is never "
        "replaced by latest, and nothing is pushed as commit- alone. A template with a condition, "
        "such as {{if .CommitID}}, is taken as it comes out.",
        "Give its fields values: --ci-branch and the like, or --ci-from-scm.",
        '- service: app\n  type: push\n  image_name: user/app\n  image_tag: "{{ .Branch }}"\n',
    ),
    Kind(
        codes.REGISTRY,
        "registry",
        "registry and image_name do not name the same registry",
        "The host in image_name decides where an image is pushed. When image_name names none, that "
        "of registry is put in front of it; when both name one, registry has no effect.",
        "Write the whole name: image_name: HOST/owner/name.",
        "- service: app\n  type: push\n  image_name: owner/app\n  registry: quay.io\n",
    ),
    Kind(
        codes.DOCKERFILE_ELSEWHERE,
        "dockerfile-elsewhere",
        "A Dockerfile that is not in its context",
        "dockerfile is relative to the context, and there is no such file there; one of that name "
        "relative to the services file is used instead.",
        "Write the path relative to the context.",
    ),
)
