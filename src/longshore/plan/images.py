"""Images: what is built, what is pulled, and in which order (spec section 3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from longshore.config.base_images import base_images
from longshore.config.credential_keys import CredentialKeys
from longshore.config.model import BuildEntry, Pairs, ServiceEntry, ServicesFile
from longshore.config.names import image_name
from longshore.oci.reference import ImageReference
from longshore.plan.model import BuildPlan, ImageKey, ImagePlan, PullPlan
from longshore.plan.paths import real_path
from longshore.plan.services import absolute, absolute_credentials

ReadText = Callable[[Path], str | None]
"""Reads a text file, or answers None where there is none; compile does no I/O of its own."""

ExpandArguments = Callable[[ServiceEntry, Pairs], tuple[tuple[str, str], ...]]
"""Expands the templates in build arguments."""


def image_plans(
    file: ServicesFile, expand: ExpandArguments, read_text: ReadText
) -> tuple[dict[ImageKey, ImagePlan], dict[str, ImageKey]]:
    """Every image of the file by key, and each service's image key.

    Equal builds share a key (I-6); `image:` and ``FROM`` that name what a sibling builds wait for
    that build instead of being pulled (I-7).
    """
    plans = {
        name: _image_plan(entry, file, expand, read_text) for name, entry in file.services.items()
    }
    builders = {str(plan.name): plan.key for plan in plans.values() if isinstance(plan, BuildPlan)}
    images: dict[ImageKey, ImagePlan] = {}
    for plan in plans.values():
        same = images.get(plan.key)
        images[plan.key] = (
            _linked(plan, builders, read_text) if same is None else _shared(same, plan)
        )
    return _without_circles(images), {name: plan.key for name, plan in plans.items()}


def _shared(first: ImagePlan, second: ImagePlan) -> ImagePlan:
    """One image of two services: either's credentials may open its registry, either may cache."""
    both = {**first.credentials, **second.credentials}
    if isinstance(first, BuildPlan) and isinstance(second, BuildPlan):
        branch = first.cache_branch or second.cache_branch
        cached = first.cached or second.cached
        return replace(first, credentials=both, cached=cached, cache_branch=branch)
    return replace(first, credentials=both)


def _image_plan(
    entry: ServiceEntry, file: ServicesFile, expand: ExpandArguments, read_text: ReadText
) -> ImagePlan:
    credentials = {entry.name: absolute_credentials(entry.credentials, file)}
    if entry.build is not None:
        return _build_plan(entry, entry.build, file, expand, read_text, credentials)
    name = ImageReference.parse(entry.image or "").with_default_tag()
    return PullPlan(
        key=f"pull:{name}",
        name=name,
        credentials=credentials,
        service=entry.name,
        place=entry.where("image"),
    )


def _build_plan(
    entry: ServiceEntry,
    build: BuildEntry,
    file: ServicesFile,
    expand: ExpandArguments,
    read_text: ReadText,
    credentials: Mapping[str, CredentialKeys],
) -> BuildPlan:
    context = real_path(file.directory / (build.context or "."))
    dockerfile = dockerfile_path(context, build.dockerfile, file.directory, read_text)
    files = absolute(build.encrypted_args_file, file)
    plan = BuildPlan(
        key="",
        name=ImageReference.parse(image_name(entry)).with_default_tag(),
        context=context,
        dockerfile=dockerfile,
        arguments=expand(entry, build.args),
        encrypted_arguments=build.encrypted_args,
        encrypted_argument_files=files,
        file_places={
            path: entry.where("build", "encrypted_args_file", number)
            for number, path in enumerate(files)
        },
        credentials=credentials,
        cached=entry.cached,
        cache_branch=entry.default_cache_branch,
        service=entry.name,
        place=build.place,
    )
    return replace(plan, key=_key(plan))


def dockerfile_path(
    context: Path, dockerfile: str | None, directory: Path, read_text: ReadText
) -> Path:
    """Below the context (S-5); else, when only that exists, relative to the services file."""
    elsewhere = dockerfile_elsewhere(context, dockerfile, directory, read_text)
    return elsewhere or context / (dockerfile or "Dockerfile")


def dockerfile_elsewhere(
    context: Path, dockerfile: str | None, directory: Path, read_text: ReadText
) -> Path | None:
    """The Dockerfile beside the services file when the context has none of that name (S-5)."""
    if dockerfile is None or read_text(context / dockerfile) is not None:
        return None
    beside = directory / dockerfile
    return real_path(beside) if read_text(beside) is not None else None


def _key(plan: BuildPlan) -> ImageKey:
    identity = (
        str(plan.name),
        str(plan.context),
        str(plan.dockerfile),
        plan.arguments,
        plan.encrypted_arguments,
        [str(p) for p in plan.encrypted_argument_files],
    )
    return "build:" + hashlib.sha256(json.dumps(identity).encode()).hexdigest()


def _linked(plan: ImagePlan, builders: Mapping[str, ImageKey], read_text: ReadText) -> ImagePlan:
    if isinstance(plan, PullPlan):
        return replace(plan, built_by=builders.get(str(plan.name)))
    needed = dict.fromkeys(
        builders[name]
        for name in base_images(read_text(plan.dockerfile) or "", plan.arguments)
        if name in builders and builders[name] != plan.key
    )
    return replace(plan, builds_first=tuple(needed))


def _without_circles(images: Mapping[ImageKey, ImagePlan]) -> dict[ImageKey, ImagePlan]:
    """Images that start from each other cannot all wait: the first of a circle does not, and is
    built from what the engine has under that name."""
    result = dict(images)
    for key, plan in images.items():
        if isinstance(plan, BuildPlan):
            kept = tuple(k for k in plan.builds_first if not _reaches(k, key, result))
            result[key] = replace(plan, builds_first=kept)
    return result


def _reaches(start: ImageKey, goal: ImageKey, images: Mapping[ImageKey, ImagePlan]) -> bool:
    seen: set[ImageKey] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key == goal:
            return True
        plan = images[key]
        if key not in seen and isinstance(plan, BuildPlan):
            waiting += plan.builds_first
        seen.add(key)
    return False
