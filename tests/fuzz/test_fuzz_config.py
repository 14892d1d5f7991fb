"""A short seeded run of the fuzzer, and planted faults that must be told at their line."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    path = Path(__file__).with_name("fuzz_config.py")
    spec = importlib.util.spec_from_file_location("fuzz_config", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fuzz_config"] = module
    spec.loader.exec_module(module)
    if not module.CORPUS.is_dir():
        pytest.skip("the corpus of public files is not on this machine")
    return module


def test_mutated_files_end_in_success_or_problems(fuzz: ModuleType) -> None:
    slowest, clean = fuzz.run(fuzz.corpus_pairs(fuzz.CORPUS), 400, seed=7)
    assert slowest < fuzz.LIMIT
    assert 0 < clean < 400


def test_a_planted_fault_is_the_first_error_at_its_line(fuzz: ModuleType) -> None:
    chance, planted, kinds = random.Random(3), 0, set()
    for pair in fuzz.corpus_pairs(fuzz.CORPUS):
        before, _ = fuzz.problems_of(pair.services.encode(), pair.steps.encode())
        if fuzz.first_error(before) is not None:
            continue
        for fault in fuzz.planted(pair, chance):
            found, _ = fuzz.problems_of(fault.services.encode(), fault.steps.encode())
            first = fuzz.first_error(found)
            where = (pair.name, fault.what, str(first))
            assert first is not None, where
            assert (first.place.path, first.place.line) == (fault.file, fault.line), where
            planted += 1
            kinds.add(fault.what)
    assert planted > 500
    assert len(kinds) >= 10
