"""The stable code of every kind of problem; `longshore.config.catalogue` tells what each means.

A code is never given to another kind, not even when its kind is gone: users search for them.
"""

from __future__ import annotations

from typing import Final

# Files and YAML
NO_FILE: Final = "LS001"
UNREADABLE: Final = "LS002"
TOO_LARGE: Final = "LS003"
ENCODING: Final = "LS004"
SYNTAX: Final = "LS005"
TOO_DEEP: Final = "LS006"
TOO_MANY: Final = "LS007"
SEVERAL_DOCUMENTS: Final = "LS008"
DUPLICATE_KEY: Final = "LS009"
ALIAS: Final = "LS010"
MERGE: Final = "LS011"
EMPTY_FILE: Final = "LS012"
TOP_LEVEL: Final = "LS013"
FALLBACK_NAME: Final = "LS014"
KEY_NOT_TEXT: Final = "LS015"
MISSING_FILE: Final = "LS016"
MORE_PROBLEMS: Final = "LS017"
UNDECRYPTABLE: Final = "LS018"

# Keys and values
WRONG_TYPE: Final = "LS020"
WRONG_VALUE: Final = "LS021"
UNKNOWN_KEY: Final = "LS022"
IGNORED_KEY: Final = "LS023"
DEPRECATED_KEY: Final = "LS024"
EMPTY_VALUE: Final = "LS025"
MISPLACED_KEY: Final = "LS026"
TEMPLATE_ELSEWHERE: Final = "LS027"

# Services
NO_IMAGE_OR_BUILD: Final = "LS030"
IMAGE_AND_BUILD: Final = "LS031"
BOTH_NAMES: Final = "LS032"
IMAGE_AND_DOCKERFILE: Final = "LS033"
BUILD_CONFIGURE: Final = "LS034"
IMAGE_NAME: Final = "LS035"
VARIABLE_IN_IMAGE: Final = "LS036"
NAMED_VOLUME: Final = "LS037"
HOST_PATH: Final = "LS038"
VOLUME: Final = "LS039"
VARIABLE_NAME: Final = "LS040"
SERVICE_IN_SERVICE: Final = "LS041"
CYCLE: Final = "LS042"
CONDITION: Final = "LS043"
NAMES_COLLIDE: Final = "LS044"
SAME_NAME: Final = "LS045"
HIDES_BASE: Final = "LS046"
CHANGING_ARGUMENT: Final = "LS047"

# Steps
NO_COMMAND: Final = "LS060"
UNKNOWN_TYPE: Final = "LS061"
NO_SERVICE: Final = "LS062"
SERVICE_AND_SERVICES: Final = "LS063"
SERVICE_IN_STEP: Final = "LS064"
GROUP_SETS_SERVICE: Final = "LS065"
SERVICE_REPEATED: Final = "LS066"
NO_STEPS: Final = "LS067"
SAME_STEP_NAME: Final = "LS068"
EMPTY_COMMAND: Final = "LS069"
QUOTE: Final = "LS070"
SHELL_SYNTAX: Final = "LS071"
NO_IMAGE_NAME: Final = "LS072"
TAG_TWICE: Final = "LS073"
TAG_LIST: Final = "LS074"
NO_ANCHOR: Final = "LS075"
REGEX: Final = "LS076"
MANUAL_TWICE: Final = "LS077"
MANUAL_NOT_LAST: Final = "LS078"
KEY_OF_OTHER_TYPE: Final = "LS079"
MATRIX: Final = "LS080"
ON_FAIL: Final = "LS081"

# Found when the plan is compiled
TEMPLATE: Final = "LS090"
TEMPLATE_FIELD: Final = "LS091"
EMPTY_TAG: Final = "LS092"
REGISTRY: Final = "LS093"
DOCKERFILE_ELSEWHERE: Final = "LS094"
