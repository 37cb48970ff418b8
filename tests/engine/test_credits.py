"""Who made what goes into a result travels with it, and decides the files that say so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import Bench, graph_of, toys

from app.engine import Credit, Run
from app.engine.errors import BadNode
from app.engine.graph import Graph
from app.engine.plan import make_plan
from app.engine.report import RunReport
from app.engine.spec import node

TERMS = "Maker's terms, NOT FOR COMMERCIAL USE"
NET = Credit("Net", "", TERMS, "maker/net, revision 0123456789ab", "model")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "a.txt").write_text("word")
    with Bench(tmp_path) as bench:
        yield bench


def quoted(licence: str = "CC0", **middle: str) -> Graph:
    """Two quotes -> same -> same -> cite, with the words of a model in between."""
    return graph_of(
        ("q", "quote", {"path": "a.txt", "licence": licence}),
        ("t", "trained", {}),
        ("s", "same", middle),
        ("r", "same", {}),
        ("c", "cite", {}),
        links=(
            ("q", "out", "s", "a"), ("t", "out", "s", "b"), ("s", "out", "r", "a"), ("q", "out", "r", "b"),
            ("r", "out", "c", "a"),
        ),
    )  # fmt: skip


def states(report: RunReport) -> str:
    return " ".join(f"{id}:{result.state}" for id, result in report.nodes.items())


def cited(bench: Bench) -> list[str]:
    return (bench.out / "cited.txt").read_text().splitlines()


def test_credits_of_everything_upstream_reach_a_node_that_asks(bench: Bench) -> None:
    report = bench.run(quoted())
    assert report.status == "ok"
    assert cited(bench) == [f"model: Net, {TERMS}", "file: a.txt, CC0"]
    assert report.credits == (NET, Credit("a.txt", licence="CC0"))
    assert report.nodes["s"].credits == () and report.nodes["t"].credits == (NET,)
    assert report.to_json()["credits"][1]["licence"] == "CC0"


def test_other_credits_write_the_file_anew_and_run_nothing_between(bench: Bench) -> None:
    bench.run(quoted())
    plan = make_plan(quoted("CC BY 4.0"), toys(), bench.worker.store, bench.folder)
    assert dict(plan.states) == {"q": "run", "t": "reuse", "s": "run", "r": "run", "c": "run"}
    assert states(bench.run(quoted("CC BY 4.0"))) == "q:ran t:reused s:reused r:reused c:ran"
    assert cited(bench)[1] == "file: a.txt, CC BY 4.0"
    assert states(bench.run(quoted())) == "q:reused t:reused s:reused r:reused c:reused"
    assert cited(bench)[1] == "file: a.txt, CC0"


def test_results_from_disk_keep_their_credits_and_the_plan_agrees(bench: Bench) -> None:
    before = bench.run(quoted())
    bench.worker.close()
    with Bench(bench.folder) as later:
        plan = make_plan(quoted(), toys(), later.worker.store, bench.folder)
        assert set(plan.states.values()) == {"reuse"}
        assert plan.keys["c"] == before.nodes["c"].key
        again = later.run(quoted())
        assert states(again) == "q:reused t:reused s:reused r:reused c:reused"
        assert again.credits == before.credits


def test_a_result_of_a_version_that_kept_no_credits_names_its_models(bench: Bench) -> None:
    bench.run(quoted())
    bench.worker.close()
    with sqlite3.connect(bench.folder / "store" / "index.sqlite") as db:
        db.execute("DELETE FROM credits")
    db.close()
    with Bench(bench.folder) as later:
        report = later.run(quoted())
        assert report.nodes["t"].state == "reused" and report.credits == (NET,)


def test_a_renamed_file_is_credited_by_its_new_name(bench: Bench) -> None:
    bench.run(quoted())
    (bench.folder / "a.txt").rename(bench.folder / "b.txt")
    report = bench.run(quoted().with_params("q", path="b.txt"))
    assert states(report) == "q:reused t:reused s:reused r:reused c:ran"
    assert cited(bench)[1] == "file: b.txt, CC0"


def test_the_order_of_links_does_not_matter(bench: Bench) -> None:
    graph = quoted()
    key = bench.run(graph).nodes["c"].key
    turned = Graph(graph.nodes, tuple(reversed(graph.links)))
    assert bench.run(turned).nodes["c"].key == key


def test_bypassed_nodes_and_models_that_were_not_asked_for_add_nothing(bench: Bench) -> None:
    graph = quoted().with_params("t", size="small")
    assert bench.run(graph).credits == (Credit("a.txt", licence="CC0"),)


def test_a_lost_maker_runs_again_and_keeps_its_credits(bench: Bench) -> None:
    bench.run(quoted())
    digest = bench.worker.store.lookup(make_plan(quoted(), toys(), bench.worker.store, bench.folder).keys["q"])
    assert digest is not None
    bench.worker.close()
    with sqlite3.connect(bench.folder / "store" / "index.sqlite") as db:
        db.execute("DELETE FROM blobs")
    db.close()
    with Bench(bench.folder) as later:
        report = later.run(quoted(log=str(bench.folder / "log")))
        assert report.status == "ok" and report.nodes["q"].state == "ran"
        assert cited(later) == [f"model: Net, {TERMS}", "file: a.txt, CC0"]


def test_they_cross_into_an_isolated_helper_and_back(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("word")
    graph = graph_of(
        ("q", "quote", {"path": "a.txt"}), ("i", "cite_apart", {}), ("c", "cite", {}),
        links=(("q", "out", "i", "a"), ("i", "out", "c", "a")),
    )  # fmt: skip
    with Bench(tmp_path, in_process=False) as bench:
        report = bench.run(graph)
        assert bench.value(report, "i").value == "a.txt"
        assert cited(bench) == ["file: Helper, CC0", "file: a.txt, "]


def test_texts_are_one_printable_line_of_bounded_length() -> None:
    credit = Credit("a\nv 1 2 3\x00\u202e", "x" * 5000, " CC\tBY ")
    assert (credit.title, credit.licence) == ("a v 1 2 3", "CC BY")
    assert len(credit.author) == 400 and credit.author.endswith("…")


def test_a_run_by_hand_takes_and_collects_them() -> None:
    run = Run(credits=(NET,))
    run.credit(Credit("x"))
    run.credit(Credit("x"))
    assert run.said == [Credit("x")] and run.credits == (NET,)


def test_a_node_that_wants_credits_wants_a_run() -> None:
    def deaf(a: float = 1.0) -> None: ...

    with pytest.raises(BadNode, match="run"):
        node("own.deaf", title="Deaf", credits=True)(deaf)
