"""What storing and reading a small value costs beside bare msgspec.json: medians of interleaved rounds, processor time.

Every step pays this twice. The baseline writes the same JSON and knows nothing of types, base64 or errors.

Run: python tests/benchmarks/codec_bench.py
"""

from __future__ import annotations

import datetime as dt
import statistics
import time
from dataclasses import dataclass

import msgspec

from resonate_core.codec import AesGcmEncryptor, Codec

ROUNDS = 7
COUNT = 5_000


@dataclass
class Receipt:
    id: str
    amount: int
    currency: str


@dataclass
class Order:
    id: str
    due: dt.date
    lines: list[Receipt]


class Struct(msgspec.Struct):
    id: str
    amount: int


VALUES = {
    "none": None,
    "number": 42,
    "text": "hello Ada",
    "small dict": {"id": "c-7", "amount": 1250, "tags": ["a", "b"]},
    "nested dict": {"order": {"id": "a", "lines": [{"sku": "x", "n": 1}, {"sku": "y", "n": 2}]}, "ok": True},
    "list of 100 numbers": list(range(100)),
    "tuple": (1, "a"),
    "datetime": dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC),
    "dataclass": Receipt("c-7", 1250, "EUR"),
    "struct": Struct("c-7", 1250),
    "nested dataclass": Order("a", dt.date(2024, 1, 2), [Receipt("x", 1, "EUR"), Receipt("y", 2, "EUR")]),
}


def charge(ctx, customer: str, cents: int): ...


def cpu_us(case):
    start = time.process_time()
    for _ in range(COUNT):
        case()
    return (time.process_time() - start) / COUNT * 1e6


def value_cases(codec, value):
    payload = codec.encode_value(value)
    encode, decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
    body = encode(value)
    return {
        "json encode": lambda: encode(value),
        "encode": lambda: codec.encode_value(value),
        "json decode": lambda: decode(body),
        "decode": lambda: codec.decode_value(payload),
    }


def other_cases(codec):
    call = codec.encode_invocation("charge", ("c-7", 1250), {}, 1, {})
    failure = ValueError("declined")
    error = codec.encode_error(failure)
    sealed = Codec(encryptor=AesGcmEncryptor({"k": bytes(32)}, "k"))
    value = VALUES["small dict"]
    record = sealed.encode_value(value)
    return {
        "call encode": lambda: codec.encode_invocation("charge", ("c-7", 1250), {}, 1, {}),
        "call decode": lambda: codec.decode_arguments(codec.decode_invocation(call), charge, skip=1),
        "error encode": lambda: codec.encode_error(failure),
        "error decode": lambda: codec.decode_error(error),
        "sealed encode": lambda: sealed.encode_value(value),
        "sealed decode": lambda: sealed.decode_value(record),
    }


def measured(cases):
    figures = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, case in cases.items():
            figures[name].append(cpu_us(case))
    return {name: statistics.median(values) for name, values in figures.items()}


def main():
    codec = Codec()
    print(f"{'microseconds':22} {'json':>6} {'encode':>7} {'json':>6} {'decode':>7}")
    for name, value in VALUES.items():
        figures = measured(value_cases(codec, value))
        columns = zip(figures.values(), (6, 7, 6, 7), strict=True)
        print(f"{name:22}", *(f"{figure:{width}.2f}" for figure, width in columns))
    for name, figure in measured(other_cases(codec)).items():
        print(f"{name:22} {figure:6.2f}")


if __name__ == "__main__":
    main()
