"""Names are unique, the same in every run, and those of the file where it gives some (4.4)."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from longshore.config.model import PushEntry, RunEntry
from longshore.config.problem import Place
from longshore.plan.names import StepNames

from .conftest import Compile

ONE = "app: {image: busybox}\n"
PLACE = Place("codeship-steps.yml")


def run_step(text: str, name: str | None = None) -> RunEntry:
    return RunEntry(place=PLACE, ordinal="1", name=name, command=(text,), text=text)


def given_names(*entries: RunEntry | PushEntry) -> list[str]:
    names = StepNames(entries)
    return [names.of(entry, "app") for entry in entries]


def test_a_name_given_twice_gets_a_number_in_parentheses() -> None:
    assert given_names(run_step("a", "x"), run_step("b", "x"), run_step("c", "x")) == [
        "x",
        "x (2)",
        "x (3)",
    ]


def test_a_name_given_once_is_never_changed_for_anothers_sake() -> None:
    steps = (run_step("a", "x"), run_step("b", "x"), run_step("c", "x (2)"))
    assert given_names(*steps) == ["x", "x (3)", "x (2)"]


def test_a_command_becomes_a_name_without_blanks_cut_at_60_characters() -> None:
    assert given_names(run_step("bundle exec  ruby\tcheck.rb"), run_step("./x.sh")) == [
        "bundle_exec_ruby_check.rb",
        "./x.sh",
    ]
    assert given_names(run_step("x" * 100)) == ["x" * 60]


def test_generated_names_are_numbered_and_leave_the_names_of_the_file_alone() -> None:
    steps = (run_step("ls"), run_step("ls"), run_step("b", "ls_2"), run_step("ls"))
    assert given_names(*steps) == ["ls", "ls_3", "ls_2", "ls_4"]


def test_a_generated_name_gives_way_to_a_later_written_one() -> None:
    assert given_names(run_step("ls"), run_step("b", "ls")) == ["ls_2", "ls"]


def test_pushes_and_groups_are_named_for_what_they_are(compile_: Compile) -> None:
    plan = compile_(ONE, """
        - {service: app, type: push, image_name: a/b}
        - {service: app, type: push, image_name: a/c}
        - {type: parallel, service: app, steps: [{command: a}]}
        - {service: app, steps: [{command: a}]}
    """)  # fmt: skip
    assert [s.name for s in plan.root.steps] == ["push_app", "push_app_2", "parallel", "serial"]


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "a_2", "a (2)"]), st.booleans())))
def test_all_names_differ_and_come_out_the_same_again(steps: list[tuple[str, bool]]) -> None:
    entries = [run_step(text, text if named else None) for text, named in steps]
    names = given_names(*entries)
    assert len(set(names)) == len(names)
    assert names == given_names(*entries)


def test_ten_thousand_equal_steps_are_named_in_linear_time() -> None:
    steps = [run_step("ls") for _ in range(10_000)]
    start = time.process_time()
    assert given_names(*steps)[-1] == "ls_10000"
    assert time.process_time() - start < 1.0


def test_a_name_is_one_line_whatever_the_file_holds() -> None:
    steps = (
        run_step("a", "folded\nname\n"),
        run_step("b", "\x1b[31mred\u2028x"),
        run_step("c", "\n"),
    )
    assert given_names(*steps) == ["folded name", "[31mred x", "c"]
    assert given_names(run_step("sh -c '\x1b[0m\na'")) == ["sh_-c_'_[0m_a'"]
