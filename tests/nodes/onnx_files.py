"""Small ONNX files written by hand (the protocol buffers of onnx.proto), so that tests need no exporter."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLOAT, TENSOR = 1, 4


def constant_network(path: Path, rows: NDArray[np.float32], side: int = 32) -> Path:
    """Takes (1, 3, side, side) and always gives ``rows``."""
    tensor = b"".join(_int(1, n) for n in rows.shape) + _int(2, FLOAT) + _bytes(9, rows.astype("<f4").tobytes())
    attribute = _bytes(1, b"value") + _bytes(5, tensor) + _int(20, TENSOR)
    node = _bytes(2, b"out") + _bytes(4, b"Constant") + _bytes(5, attribute)
    return _model(path, node, (1, 3, side, side), rows.shape)


def identity_network(path: Path, side: int = 32) -> Path:
    """Gives what it takes: a network, but no detector."""
    node = _bytes(1, b"in") + _bytes(2, b"out") + _bytes(4, b"Identity")
    return _model(path, node, (1, 3, side, side), (1, 3, side, side))


def _model(path: Path, node: bytes, takes: tuple[int, ...], gives: tuple[int, ...]) -> Path:
    graph = _bytes(1, node) + _bytes(2, b"toy") + _bytes(11, _value(b"in", takes)) + _bytes(12, _value(b"out", gives))
    path.write_bytes(_int(1, 8) + _bytes(7, graph) + _bytes(8, _int(2, 13)))
    return path


def _value(name: bytes, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_bytes(1, _int(1, n)) for n in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _int(1, FLOAT) + _bytes(2, dims)))


def _varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += struct.pack("B", number & 127 | 128)
        number >>= 7
    return out + struct.pack("B", number)


def _int(field: int, number: int) -> bytes:
    return _varint(field << 3) + _varint(number)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data
