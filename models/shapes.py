"""Gives an ONNX model other input and output shapes, without the `onnx` package.

CenterFace is published for pictures of 32 x 32 in batches of 10; its layers fit any
multiple of 32. Only the declared shapes stand in the way, and those are a few bytes of
protobuf: everything else is copied as it is. onnxruntime works out the shapes between.

Source: field numbers of onnx.proto3 (ONNX, Apache-2.0) and the protobuf wire format.
"""

from collections.abc import Callable, Iterator, Mapping

MODEL_GRAPH = 7
GRAPH_INPUT = 11
GRAPH_OUTPUT = 12
GRAPH_VALUE_INFO = 13
VALUE_NAME = 1
VALUE_TYPE = 2
TYPE_TENSOR = 1
TENSOR_SHAPE = 2
SHAPE_DIM = 1
DIM_VALUE = 1

WIRE_VARINT = 0
WIRE_64 = 1
WIRE_BYTES = 2
WIRE_32 = 5

Field = tuple[int, int, bytes]
"""Number, wire type and content (the content alone for `WIRE_BYTES`, the encoded value for the others)."""


def with_shapes(model: bytes, shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    """Return `model` with the shapes of the named inputs and outputs replaced.

    Args:
        model: a serialised ModelProto.
        shapes: new shape by the name of the input or output; others keep theirs.

    Raises:
        ValueError: the bytes are not protobuf, or a named input or output is not in the graph.
    """
    left = set(shapes)

    def value(content: bytes) -> bytes:
        fields = list(_fields(content))
        name = next((one[2].decode() for one in fields if one[0] == VALUE_NAME), "")
        if name not in shapes:
            return content
        left.discard(name)
        return _replaced(content, VALUE_TYPE, lambda kind: _typed(kind, shapes[name]))

    def graph(content: bytes) -> bytes:
        out = bytearray()
        for number, wire, inner in _fields(content):
            if number == GRAPH_VALUE_INFO:
                continue  # shapes in between were declared for the old input
            out += _field(number, wire, value(inner) if number in {GRAPH_INPUT, GRAPH_OUTPUT} else inner)
        return bytes(out)

    changed = _replaced(model, MODEL_GRAPH, graph)
    if left:
        raise ValueError(f"the model has no input or output named {', '.join(sorted(left))}")
    return changed


def _typed(content: bytes, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(_field(SHAPE_DIM, WIRE_BYTES, _field(DIM_VALUE, WIRE_VARINT, _varint(dim))) for dim in shape)
    return _replaced(content, TYPE_TENSOR, lambda tensor: _replaced(tensor, TENSOR_SHAPE, lambda _: dims))


def _replaced(content: bytes, which: int, change: Callable[[bytes], bytes]) -> bytes:
    return b"".join(
        _field(number, wire, change(inner) if number == which else inner) for number, wire, inner in _fields(content)
    )


def _field(number: int, wire: int, content: bytes) -> bytes:
    size = _varint(len(content)) if wire == WIRE_BYTES else b""
    return _varint(number << 3 | wire) + size + content


def _fields(content: bytes) -> Iterator[Field]:
    at = 0
    while at < len(content):
        key, at = _read_varint(content, at)
        wire = key & 7
        if wire == WIRE_VARINT:
            _, end = _read_varint(content, at)
        elif wire == WIRE_BYTES:
            size, at = _read_varint(content, at)
            end = at + size
        elif wire in {WIRE_64, WIRE_32}:
            end = at + (8 if wire == WIRE_64 else 4)
        else:
            raise ValueError(f"not protobuf: wire type {wire} at byte {at}")
        if end > len(content):
            raise ValueError(f"not protobuf: a field ends {end - len(content)} bytes behind the end")
        yield key >> 3, wire, content[at:end]
        at = end


def _read_varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise ValueError("not protobuf: it ends within a number")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("not protobuf: a number of more than ten bytes")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
