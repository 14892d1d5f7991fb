"""Manifests and indexes: reading, building, keeping bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.errors import InvalidValue
from longshore.oci import media_types
from longshore.oci.descriptor import Descriptor
from longshore.oci.digest import Digest
from longshore.oci.manifest import (
    Index,
    Manifest,
    image_index,
    image_manifest,
    parse_manifest,
)
from longshore.oci.media_types import Compression, Format, compression_of, is_foreign
from longshore.oci.platform import Platform

CONFIG = Descriptor.of(b"{}", media_types.DOCKER_CONFIG)


def layers(fmt: Format) -> tuple[Descriptor, ...]:
    return tuple(Descriptor.of(c.encode(), fmt.layer_type(c)) for c in Compression)


@pytest.mark.parametrize("fmt", list(Format))
def test_a_built_manifest_reads_back_as_itself(fmt: Format) -> None:
    built = image_manifest(Descriptor.of(b"{}", fmt.config_type), layers(fmt), fmt=fmt)
    assert parse_manifest(built.content, fmt.manifest_type) == built
    assert built.digest == Digest.of(built.content)
    assert built.blobs == (built.config, *built.layers)


def test_the_same_parts_always_give_the_bytes_docker_would_expect() -> None:
    built = image_manifest(CONFIG, [])
    assert built.content == (
        b'{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",'
        b'"config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":'
        b'"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}'
    )


def test_an_index_names_its_manifests_by_platform() -> None:
    image = image_manifest(CONFIG, [], fmt=Format.OCI)
    entry = Descriptor(
        media_type=image.media_type,
        digest=image.digest,
        size=len(image.content),
        platform=Platform(os="linux", architecture="arm", variant="v7"),
    )
    index = image_index([entry])
    read = parse_manifest(index.content)
    assert isinstance(read, Index)
    assert read.manifests == (entry,)
    assert str(read.manifests[0].platform) == "linux/arm/v7"


def test_foreign_bytes_are_kept_to_the_letter() -> None:
    document = json.loads(image_manifest(CONFIG, layers(Format.DOCKER)).content)
    content = json.dumps(document, indent=7).encode() + b"\n\n"
    read = parse_manifest(content)
    assert read.content == content
    assert read.digest == Digest.of(content)
    assert read.descriptor.size == len(content)


def test_an_oci_manifest_may_leave_its_media_type_out() -> None:
    document = json.loads(image_manifest(CONFIG, [], fmt=Format.OCI).content)
    del document["mediaType"]
    read = parse_manifest(json.dumps(document).encode())
    assert isinstance(read, Manifest)
    assert read.media_type == media_types.OCI_MANIFEST


def test_subject_and_annotations_of_an_artifact_are_read() -> None:
    document = json.loads(image_manifest(CONFIG, [], fmt=Format.OCI).content)
    subject = image_manifest(CONFIG, []).descriptor
    document |= {"subject": subject.document(), "annotations": {"a": "b"}, "artifactType": "x/y"}
    read = parse_manifest(
        json.dumps(document).encode(), media_types.OCI_MANIFEST + "; charset=utf-8"
    )
    assert (read.subject, read.annotations, read.artifact_type) == (subject, {"a": "b"}, "x/y")


def test_foreign_layers_are_no_blobs_of_the_registry() -> None:
    foreign = Descriptor(
        media_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        digest=Digest.of(b"windows"),
        size=7,
        urls=("https://example.com/base",),
    )
    assert is_foreign(foreign.media_type)
    assert image_manifest(CONFIG, [foreign]).blobs == (CONFIG,)


@pytest.mark.parametrize("fmt", list(Format))
@pytest.mark.parametrize("compression", list(Compression))
def test_the_compression_of_a_layer_is_in_its_type(fmt: Format, compression: Compression) -> None:
    assert compression_of(fmt.layer_type(compression)) is compression


def changed(**changes: object) -> bytes:
    document = json.loads(image_manifest(CONFIG, layers(Format.DOCKER)).content)
    return json.dumps(document | changes).encode()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "should be an object, but is a list"),
        (b"{}", "schema version 2"),
        (changed(schemaVersion=1), "schema version 2"),
        (changed(schemaVersion="2"), "whole number"),
        (changed(mediaType="text/html"), "not the media type"),
        (changed(config=None), "manifest.config should be an object, but is missing"),
        (changed(layers={}), "manifest.layers should be a list, but is an object"),
        (changed(layers=[{"size": 1}]), r"manifest.layers\[0\].mediaType should be a text"),
        (changed(config={"mediaType": "a/b", "digest": "x", "size": 1}), "not a digest"),
        (
            changed(config={"mediaType": "a/b", "digest": str(CONFIG.digest), "size": -1}),
            "manifest.config.size should be a whole number",
        ),
        (changed(annotations={"a": 1}), "manifest.annotations.a should be a text, but is a number"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_place(content: bytes, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        parse_manifest(content)


def test_a_manifest_that_came_under_another_type_is_refused() -> None:
    with pytest.raises(InvalidValue, match="but came as"):
        parse_manifest(image_manifest(CONFIG, []).content, media_types.OCI_MANIFEST)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("sha256:" + "0" * 64),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mediaType", "config", "layers", "digest", "size", "manifests"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["mediaType", "config", "layers", "manifests"]), JSON))
def test_no_json_document_makes_the_reader_fall_over(document: dict[str, object]) -> None:
    content = json.dumps({"schemaVersion": 2} | document).encode()
    try:
        read = parse_manifest(content)
    except InvalidValue:
        return
    assert read.content == content
