"""A spec for a node whose type this program does not have, so that the graph survives being opened and saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.engine.errors import MissingNode
from app.engine.graph import Graph, Node
from app.engine.params import Setting
from app.engine.payloads import Payload
from app.engine.spec import NodeSpec, Param, Socket


def spec_for(node: Node, graph: Graph, specs: Mapping[str, NodeSpec]) -> NodeSpec:
    """The node's type, or a stand-in with the sockets that its links name and the parameters that it carries."""
    found = specs.get(node.type)
    return found if found is not None else _stand_in(node, graph)


def is_stand_in(spec: NodeSpec) -> bool:
    return spec.version == 0


def _stand_in(node: Node, graph: Graph) -> NodeSpec:
    def refuse(**_: Any) -> None:
        raise MissingNode(f"The node type {node.type!r} is not installed.", "Install it, or replace the node.")

    taken = dict.fromkeys(link.input for link in graph.into.get(node.id, ()))
    given = dict.fromkeys(link.output for link in graph.out_of.get(node.id, ()))
    return NodeSpec(
        id=node.type,
        title=node.type,
        version=0,
        doc="This node's type is not installed. Its settings and links are kept as they are.",
        inputs=tuple(Socket(name, Payload, optional=True) for name in taken),
        params=tuple(Param(name, type(value), value, Setting()) for name, value in node.params.items()),
        outputs=tuple(Socket(name, Payload) for name in given),
        wants_run=False,
        call=refuse,
    )
