"""The reference pages are what the declarations say; ``LONGSHORE_WRITE_DOCS=1`` rewrites them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from longshore.config.build_keys import ARGS
from longshore.config.reference import problems_page, services_page, steps_page
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import image_manifest
from longshore.oci.reference import ImageReference
from longshore.plan.facts import (
    BuildFacts,
    argument_fields,
    container_variables,
    fact_rows,
    template_values,
)
from longshore.registry.receipt import Receipt, metadata
from longshore.report.events_page import events_page

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("services.md", services_page),
        ("steps.md", steps_page),
        ("problems.md", problems_page),
        ("events.md", events_page),
    ],
)
def test_the_checked_in_page_is_the_generated_one(name: str, page: Callable[[], str]) -> None:
    path = REFERENCE / name
    if os.environ.get("LONGSHORE_WRITE_DOCS"):
        path.write_text(page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == page(), "run with LONGSHORE_WRITE_DOCS=1"


def test_the_table_of_what_containers_and_templates_are_told_is_complete() -> None:
    texts = {name: name for name in BuildFacts.__struct_fields__ if name != "started"}
    facts = BuildFacts(**{**texts, "approved": True})  # type: ignore[arg-type]
    rows = tuple(fact_rows())
    variables = [name for name, _ in container_variables(facts, "tag")]
    assert sorted(filter(None, (row[0] for row in rows))) == sorted(variables)
    fields = {row[1] for row in rows if row[1]} | {"Commit"}
    assert fields == set(template_values(facts))
    told = dict(container_variables(facts, "tag"))
    values = template_values(facts)
    assert [row for row in rows if row[0] and row[1] and told[row[0]] != values[row[1]]] == []


def test_every_field_of_a_metadata_file_is_described() -> None:
    layer = Descriptor(media_type="m", digest=Digest.of(b"layer"), size=1)
    receipt = Receipt(
        image="app",
        targets=(ImageReference.parse("quay.io/a/b:1"),),
        digest=str(Digest.of(b"")),
        manifest=image_manifest(layer, [layer]),
        route="overlay2",
        seconds=1.0,
    )
    document = json.loads(metadata([receipt]))["pushes"][0]
    text = (REFERENCE.parent / "pushing.md").read_text(encoding="utf-8")
    described = set(re.findall(r"`(\w+)`", text))
    assert {*document, *document["layers"][0]} <= described


def test_the_reference_of_build_arguments_names_every_template_field() -> None:
    listed = ARGS.description.partition("The fields are ")[2].rstrip(".").replace(" and ", ", ")
    assert set(listed.split(", ")) == argument_fields()
