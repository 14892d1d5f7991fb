"""Work in order, by whichever thread comes by."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from longshore.image.in_order import InOrder


class Item:
    """Something that becomes ready."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_ready = False


def test_everything_is_done_once_and_in_order_whoever_makes_it_ready_when() -> None:
    done: list[int] = []
    line: InOrder[Item] = InOrder(lambda item: done.append(item.number), lambda i: i.is_ready)
    items = [Item(number) for number in range(2000)]
    for item in items:
        line.add(item)

    def make_ready(item: Item) -> None:
        item.is_ready = True
        line.come_by()

    shuffled = random.Random(1).sample(items, len(items))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make_ready, shuffled))
    assert done == list(range(2000))


def test_nothing_is_done_before_what_comes_first_is_ready() -> None:
    done: list[int] = []
    line: InOrder[Item] = InOrder(lambda item: done.append(item.number), lambda i: i.is_ready)
    first, second = Item(1), Item(2)
    line.add(first)
    line.add(second)
    second.is_ready = True
    line.come_by()
    assert done == []
    first.is_ready = True
    line.come_by()
    assert done == [1, 2]


def test_who_comes_by_while_another_is_at_it_does_not_wait() -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []

    def work(item: Item) -> None:
        begun.set()
        assert go_on.wait(10)
        done.append(item.number)

    line: InOrder[Item] = InOrder(work, lambda item: item.is_ready)
    first, second = Item(1), Item(2)
    line.add(first)
    line.add(second)
    first.is_ready = True
    slow = threading.Thread(target=line.come_by)
    slow.start()
    assert begun.wait(10)
    second.is_ready = True
    line.come_by()  # returns at once; the other sees to the second as well
    assert done == []
    go_on.set()
    slow.join(10)
    assert done == [1, 2]
