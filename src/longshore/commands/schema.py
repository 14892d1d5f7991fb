"""``longshore schema``: the JSON Schema of a file, for editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum

from longshore.config.schema import services_schema, steps_schema


class SchemaOf(StrEnum):
    """Which file."""

    SERVICES = "services"
    STEPS = "steps"


def show_schema(*, of: SchemaOf, out: Callable[[str], None]) -> int:
    """Write the schema as JSON; 0."""
    schema = services_schema() if of is SchemaOf.SERVICES else steps_schema()
    out(json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    return 0
