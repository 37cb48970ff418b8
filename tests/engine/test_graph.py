"""Graphs as values: order, cycles, edits."""

from __future__ import annotations

from itertools import pairwise

import reachability as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from app.engine.graph import Graph, Link, Node


def make(count: int, pairs: list[tuple[int, int]]) -> Graph:
    return Graph(
        {f"n{i}": Node(f"n{i}", "t.t") for i in range(count)},
        tuple(Link(f"n{a % count}", "out", f"n{b % count}", f"i{k}") for k, (a, b) in enumerate(pairs)),
    )


pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=16)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 10), pairs)
def test_order_and_cycles(count: int, links: list[tuple[int, int]]) -> None:
    graph = make(count, links)
    order, stuck = graph.order()
    place = {id: i for i, id in enumerate(order)}
    assert sorted([*order, *stuck]) == sorted(graph.nodes)
    assert all(place[a.source] < place[a.target] for a in graph.links if a.target in place)
    reach = oracle.closure(graph)
    on_cycle = {id for id in graph.nodes if id in reach[id]}
    cycles = graph.cycles()
    assert bool(cycles) == bool(on_cycle)
    steps = {(link.source, link.target) for link in graph.links}
    for path in cycles:
        assert path[0] == path[-1] and set(pairwise(path)) <= steps and len(set(path)) == len(path) - 1
    assert len({id for path in cycles for id in path}) == sum(len(path) - 1 for path in cycles)
    for a in graph.nodes:
        for b in graph.nodes:
            assert graph.would_cycle(a, b) == (a == b or a in reach[b])


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10), pairs, st.integers(0, 9))
def test_up_and_downstream_are_mirror_images(count: int, links: list[tuple[int, int]], pick: int) -> None:
    graph = make(count, links)
    one = f"n{pick % count}"
    assert all((one in graph.downstream([other])) == (other in graph.upstream([one])) for other in graph.nodes)


def test_an_input_has_one_link_and_deletion_takes_links_along() -> None:
    graph = make(3, [])
    graph = graph.with_link(Link("n0", "out", "n2", "a")).with_link(Link("n1", "out", "n2", "a"))
    assert graph.links == (Link("n1", "out", "n2", "a"),)
    assert graph.without_nodes(["n1"]).links == ()
    assert graph.fresh_id() == "n3" and graph.fresh_id(["n7"]) == "n8"


def test_find_by_id_and_by_title() -> None:
    graph = Graph({"a": Node("a", "t.t", title="Photo"), "b": Node("b", "t.t", title="Photo"), "c": Node("c", "t.t")})
    assert graph.find("Photo") == ("a", "b") and graph.find("c") == ("c",) and graph.find("x") == ()


def test_three_thousand_nodes_and_a_deep_double_fan_in_are_ordered_without_recursion() -> None:
    chain = make(3000, [(i, i + 1) for i in range(2999)])
    assert chain.order()[0] == list(chain.nodes)
    fan = make(41, [(i, i + 1) for i in range(40) for _ in range(2)])
    assert fan.order()[0] == list(fan.nodes) and not fan.cycles()
