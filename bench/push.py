"""Our pusher against the engine's own and the tools users would take instead, in one run.

``push.py [--runs N] [--quick] [--only SCENARIO,...] [--who NAME]``. Everybody pushes the same
image to the same registry (Debian's, a process on loopback), in turn; its storage is emptied
between cold runs.
Every figure is of whole processes, start-up included; a ratio is time against ``docker tag`` and
``docker push``, for we take the target as an argument. Memory is that of the command's largest
process: what the engine needs for its part is not seen. skopeo, crane and podman take part where
they are installed. Without root nobody reads the engine's store, so one contender less takes part.
"""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from content import RealLayer
from msgspec import Struct
from pushers import RIVALS, Pusher, ours, podman_service, rivals, start_up
from timing import Contender, absence, compare, table

from longshore.engine.opening import open_engine
from longshore.environment import Environment
from longshore.testing.disk_folder import disk_folder
from longshore.testing.images import Layer, RandomLayer, write_archive
from longshore.testing.memory import peak_memory
from longshore.testing.registry_process import RegistryProcess, run_registry

MB = 1_000_000


class Scenario(Struct, frozen=True, kw_only=True):
    """What is pushed: one or more images, each as its layers from the base up.

    The lowest `known` layers are in the repository already; `again`: all of the image is. `short`:
    there is so little to do that our start-up is shown as a row of its own.
    """

    title: str
    images: tuple[tuple[Layer, ...], ...]
    known: int = 0
    again: bool = False
    short: bool = False
    warm_ups: int = 1


def scenarios(scale: int) -> dict[str, Scenario]:
    """By name; `scale` divides all sizes."""

    def layer(megabytes: int, seed: int) -> Layer:
        return RealLayer(content=megabytes * MB // scale, seed=seed)

    tiny = RandomLayer(content=1000, seed=99)
    base = layer(400, 1)
    added = (base, layer(100, 2))
    big = (layer(800, 11), layer(760, 12), tiny)
    ten = tuple((base, layer(10, seed)) for seed in range(20, 30))
    sixty = tuple(layer(5, seed) for seed in range(100, 160))
    files = RandomLayer(content=100 * MB // scale, files=100_000 // scale, seed=4)
    return {
        "cold": Scenario(title="cold: two big layers and a tiny one", images=(big,), warm_ups=0),
        "layer": Scenario(title="one 100 MB layer on a known base", images=(added,), known=1),
        "tiny": Scenario(
            title="a tiny layer on a known base", images=((base, tiny),), known=1, short=True
        ),
        "nothing": Scenario(title="nothing changed", images=(added,), again=True, short=True),
        "ten": Scenario(title="ten images on one base", images=ten),
        "sixty": Scenario(title="60 layers of 5 MB", images=(sixty,)),
        "files": Scenario(title="one layer of 100,000 small files", images=((files,),)),
    }


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of every size")
    parser.add_argument("--only", default="", help="scenarios, with commas")
    parser.add_argument("--who", default="", help="pushers whose names hold this, and docker push")
    arguments = parser.parse_args()
    found = scenarios(10 if arguments.quick else 1)
    chosen = arguments.only.split(",") if arguments.only else list(found)
    with (
        disk_folder() as folder,
        engine() as (address, data_root),
        run_registry(folder / "registry") as registry,
        podman_service(folder) as podman_socket,
    ):
        if absent := [name for name in RIVALS if not shutil.which(name)]:
            show(absence(absent))
        docker, *others = [*rivals(address, folder), *ours(data_root, podman_socket)]
        pushers = [docker, *(other for other in others if arguments.who in other.name)]
        bench = Bench(folder, registry, address, data_root, pushers)
        for name in chosen:
            with bench.loaded(name, found[name]) as images:
                show(bench.run(found[name], images, arguments.runs))
                if name == "cold":
                    show(bench.memory(images))


def show(text: str) -> None:
    """Print a table when it is ready."""
    print(text, flush=True)


@contextmanager
def engine() -> Iterator[tuple[str, Path | None]]:
    """An engine's address, and where its data is."""
    from anyio.from_thread import start_blocking_portal

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(open_engine("auto", Environment.of_process())) as found,
    ):
        info = portal.call(found.info)
        yield info.endpoint, info.data_root if info.local else None


class Bench:
    """One registry, one engine, and everybody who pushes."""

    def __init__(
        self,
        folder: Path,
        registry: RegistryProcess,
        address: str,
        data_root: Path | None,
        pushers: Sequence[Pusher],
    ) -> None:
        self.folder = folder
        self.registry = registry
        self.environment = {"DOCKER_HOST": address}
        self.pushers = pushers
        own = {data_root / "overlay2"} if data_root else set()
        self.stores = own | {pusher.store for pusher in self.pushers if pusher.store}

    # --- what is pushed ----------------------------------------------------------------------

    @contextmanager
    def loaded(self, name: str, scenario: Scenario) -> Iterator[list[str]]:
        """The names of its images in the engine, the known base last."""
        stacks = list(scenario.images)
        if scenario.known:
            stacks.append(stacks[0][: scenario.known])
        names = [f"longshore-bench/{name}:{place}" for place in range(len(stacks))]
        try:
            for image, layers in zip(names, stacks, strict=True):
                self.load(image, layers)
            yield names
        finally:
            listed = self.out("docker", "image", "ls", "-q", f"longshore-bench/{name}")
            self.shell("docker rmi -f " + " ".join(set(listed.split())))
            for pusher in self.pushers:
                self.shell(pusher.clean_up)

    def load(self, image: str, layers: Sequence[Layer]) -> None:
        """Make an image in the engine."""
        archive = self.folder / "image.tar"
        write_archive(archive, image, layers)
        self.shell(f"docker load -i {archive}")
        archive.unlink()

    # --- how it is measured ------------------------------------------------------------------

    def run(self, scenario: Scenario, images: list[str], runs: int) -> str:
        """The table of a scenario."""
        base = images.pop() if scenario.known else None
        rows, notes = [], ""
        for place, pusher in enumerate(self.pushers):
            seconds = self.prepare(pusher, images)
            if pusher.store:
                notes += f"  {pusher.name}: {seconds:.1f} s to bring the images there not counted\n"
            before = partial(self.ready, None)
            if base is not None:
                before = partial(self.ready, self.with_base(pusher, place, base))
            if scenario.again:
                before = partial(self.ready, self.with_base(pusher, place, images[0]))
            rows.append(self.contender(pusher, place, images, scenario, before))
        if scenario.short:
            rows.append(Contender("longshore, start-up alone", start_up()))
        return table(scenario.title, compare(rows, runs, warm_ups=scenario.warm_ups)) + notes

    def prepare(self, pusher: Pusher, images: Sequence[str]) -> float:
        """Seconds that it took."""
        begin = time.perf_counter()
        for image in images:
            self.shell(pusher.prepare(image))
        return time.perf_counter() - begin

    def contender(
        self,
        pusher: Pusher,
        place: int,
        images: list[str],
        scenario: Scenario,
        before: Callable[[], None],
    ) -> Contender:
        """One pusher with everything that it has to push, one image after the other."""
        commands = [pusher.command(image, self.target(place, image)) for image in images]
        return Contender(pusher.name, ["sh", "-ec", " && ".join(commands)], self.own(place), before)

    def target(self, place: int, image: str) -> str:
        """Everybody has a repository of their own, so nobody lives on another's blobs."""
        return f"{self.registry.host}/bench{place}/app:{image.rpartition(':')[2]}"

    def own(self, place: int) -> dict[str, str]:
        """What we remember is kept from run to run, as the engine keeps it."""
        return {**self.environment, "XDG_CACHE_HOME": str(self.folder / f"cache{place}")}

    def with_base(self, pusher: Pusher, place: int, image: str) -> Path:
        """The storage of the registry after `image` was pushed, put aside."""
        self.empty(None)
        self.shell(pusher.prepare(image))
        self.shell(pusher.command(image, self.target(place, image)), self.own(place))
        kept = self.folder / f"kept{place}"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.registry.data, kept, copy_function=os.link)
        return kept

    def ready(self, kept: Path | None) -> None:
        """The registry as it is to be, and the images in memory, as after a build.

        While the others had their turn the machine may have dropped them from its page cache; and
        what they have written is not to reach the disk in the time of somebody else.
        """
        self.empty(kept)
        os.sync()
        for store in self.stores:
            read_all(store)

    def empty(self, kept: Path | None) -> None:
        """Empty the registry, or fill it with what was put aside."""
        shutil.rmtree(self.registry.data, ignore_errors=True)
        if kept is not None:
            # Links will do: a registry never changes what it has stored.
            shutil.copytree(kept, self.registry.data, copy_function=os.link)

    def memory(self, images: list[str]) -> str:
        """All processes of a push of ours together (proportional set size), looked at often."""
        lines = []
        for place, pusher in enumerate(self.pushers):
            if pusher.name.startswith("longshore"):
                self.empty(None)
                command = pusher.command(images[0], self.target(place, images[0]))
                peak = peak_memory(["sh", "-ec", command], {**os.environ, **self.own(place)})
                lines.append(f"  {pusher.name}: {peak / MB:.0f} MB in all its processes together")
        return "\n".join(lines) + "\n"

    def shell(self, script: str, environment: dict[str, str] | None = None) -> None:
        """A command that has to work and is not measured."""
        found = {**os.environ, **(environment or self.environment)}
        done = subprocess.run(["sh", "-ec", script], capture_output=True, text=True, env=found)
        if done.returncode:
            sys.exit(f"{script}: {done.stderr or done.stdout}")

    def out(self, *words: str) -> str:
        """What a command prints."""
        found = {**os.environ, **self.environment}
        return subprocess.run(words, check=True, capture_output=True, text=True, env=found).stdout


def read_all(folder: Path) -> None:
    """Read every regular file below it that may be read."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names):
            with suppress(OSError):
                if stat.S_ISREG(path.lstat().st_mode):
                    with path.open("rb") as file:
                        while file.read(MB):
                            pass


if __name__ == "__main__":
    main()
