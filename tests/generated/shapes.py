"""Random workflow programs: sequence, branch, loop, errors and clean-up, fan-out, helpers over files, signals between.

Each program is three files. Every statement carries a comment of its own, so that a lost one is seen. Programs always
end: loops are bounded, and what is waited for was sent before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable

#: How many signals the client sends, all before it waits for the result.
SIGNALS: Final = 3
DEEPEST: Final = 3

STEPS: Final = '''"""Steps of a generated program."""

from temporalio import activity

TRACE: list[str] = []


@activity.defn
async def note(name: str) -> int:
    TRACE.append(name)
    return len(name)


@activity.defn
async def fail(name: str) -> int:
    # Fails in every attempt.
    TRACE.append(name)
    raise ValueError(name)
'''
HEAD: Final = '''"""{what} of a generated program."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
{imports}

LIMIT = timedelta(seconds=10)
ONCE = RetryPolicy(maximum_attempts=1)
'''
FLOW: Final = """

@workflow.defn
class Flow:
    def __init__(self) -> None:
        self.signals = 0  # how many have come

    @workflow.run
    async def run(self, total: int) -> int:
{body}
        # Nobody's signal comes too late.
        await workflow.wait_condition(lambda: self.signals == {signals})
        return total

    @workflow.signal
    def go(self) -> None:
        self.signals += 1
{methods}"""


@dataclass
class Program:
    """A program under construction; ``count`` numbers names and comments."""

    count: int = 0
    methods: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)

    def next(self) -> int:
        self.count += 1
        return self.count


@dataclass(frozen=True)
class Sources:
    """The files of a finished program."""

    steps: str
    helpers: str
    flow: str


def _note(program: Program, _draw: st.DrawFn, _depth: int) -> list[str]:
    n = program.next()
    call = f'workflow.execute_activity(note, "n{n}", start_to_close_timeout=LIMIT)'
    return [f"total += await {call}  # c{n}"]


def _fan_out(program: Program, draw: st.DrawFn, _depth: int) -> list[str]:
    n, width = program.next(), draw(st.integers(1, 3))
    call = f'workflow.execute_activity(note, f"g{n}-{{i}}", start_to_close_timeout=LIMIT)'
    return [
        f"# c{n}: all at once",
        f"found{n} = await asyncio.gather(*[{call} for i in range({width})])",
        f"total += sum(found{n})",
    ]


def _sleep(program: Program, _draw: st.DrawFn, _depth: int) -> list[str]:
    return [f"await asyncio.sleep(0.01)  # c{program.next()}"]


def _wait(program: Program, draw: st.DrawFn, _depth: int) -> list[str]:
    n, wanted = program.next(), draw(st.integers(1, SIGNALS))
    condition = f"lambda: self.signals >= {wanted}"
    return [f"# c{n}: until enough signals are there", f"await workflow.wait_condition({condition})"]


def _wait_in_vain(program: Program, _draw: st.DrawFn, _depth: int) -> list[str]:
    n = program.next()
    limit = "timedelta(seconds=0.02)"
    return [
        "try:",
        f"    await workflow.wait_condition(lambda: self.signals > {SIGNALS}, timeout={limit})  # c{n}",
        "except asyncio.TimeoutError:",
        f"    total += {n}",
    ]


def _branch(program: Program, draw: st.DrawFn, depth: int) -> list[str]:
    n = program.next()
    yes, no = _block(program, draw, depth + 1), _block(program, draw, depth + 1)
    return [f"if total % 2 == {n % 2}:  # c{n}", *_indented(yes), "else:", *_indented(no)]


def _loop(program: Program, draw: st.DrawFn, depth: int) -> list[str]:
    n, times = program.next(), draw(st.integers(1, 2))
    leave = [f"    if total > {draw(st.integers(5, 60))}:", f"        {draw(st.sampled_from(('break', 'continue')))}"]
    body = [*_indented(_block(program, draw, depth + 1))]
    return [f"for _turn{n} in range({times}):  # c{n}", *leave, *body]


def _guarded(program: Program, draw: st.DrawFn, depth: int) -> list[str]:
    n = program.next()
    body = _block(program, draw, depth + 1)
    if draw(st.booleans()):
        call = f'workflow.execute_activity(fail, "f{n}", start_to_close_timeout=LIMIT, retry_policy=ONCE)'
        body = [*body, f"total += await {call}"]
    handled = [f"total += {n}"] if draw(st.booleans()) else []
    handled += _block(program, draw, depth + 1)
    lines = ["try:", *_indented(body), f"except Exception:  # c{n}", *_indented(handled)]
    if draw(st.booleans()):
        lines += ["finally:", f"    # c{program.next()}: in any case", *_indented(_block(program, draw, depth + 1))]
    return lines


def _method(program: Program, draw: st.DrawFn, depth: int) -> list[str]:
    n = program.next()
    body = _block(program, draw, depth + 1)
    header = f"\n    async def _part{n}(self, total: int) -> int:\n        # c{n}\n"
    program.methods.append(header + _text(body, 8) + "\n        return total\n")
    return [f"total = await self._part{n}(total)"]


def _function(program: Program, draw: st.DrawFn, depth: int) -> list[str]:
    n = program.next()
    body = _block(program, draw, depth + 1, pure=True)
    header = f"\n\nasync def part{n}(total: int) -> int:\n    # c{n}\n"
    program.functions.append(header + _text(body, 4) + "\n    return total\n")
    return [f"total = await part{n}(total)"]


def _call(name: str, step: str = "note", more: str = "") -> str:
    return f'workflow.execute_activity({step}, "{name}", start_to_close_timeout=LIMIT{more})'


def _inside_an_expression(program: Program, draw: st.DrawFn, _depth: int) -> list[str]:
    n = program.next()
    one, two = _call(f"e{n}"), _call(f"e{n}b")
    shapes = (
        f"total += (await {one}) if total % 2 else {n}  # c{n}",
        f"total += sum([await {one} for _ in range(2)])  # c{n}",
        f"total += len(f'{{await {one}}}')  # c{n}".replace('"', "'").replace("f'{", 'f"{').replace("}')", '}")'),
        f"total += (await {one}) * 2 - (await {two})  # c{n}",
        f"total = max(total, await {one}, {n})  # c{n}",
        f"if (await {one}) > 1 and await {two}:  # c{n}\n    total += 1",
    )
    return draw(st.sampled_from(shapes)).split("\n")


def _while(program: Program, draw: st.DrawFn, _depth: int) -> list[str]:
    n, bound = program.next(), draw(st.integers(1, 20))
    return [f"while total % 50 < {bound}:  # c{n}", f"    total += await {_call(f'w{n}')}"]


def _inner_function(program: Program, draw: st.DrawFn, _depth: int) -> list[str]:
    n = program.next()
    lines = [f"async def inner{n}(more: int) -> int:  # c{n}", f"    return more + await {_call(f'i{n}')}", ""]
    if draw(st.booleans()):
        return [*lines, f"total += await inner{n}(1)"]
    return [*lines, f"total += sum(await asyncio.gather(inner{n}(1), inner{n}(2)))"]


def _gather_with_errors(program: Program, _draw: st.DrawFn, _depth: int) -> list[str]:
    n = program.next()
    calls = f"{_call(f'g{n}-a')}, {_call(f'g{n}-b', 'fail', ', retry_policy=ONCE')}"
    return [
        f"mixed{n} = await asyncio.gather({calls}, return_exceptions=True)  # c{n}",
        f"total += sum(1 for one in mixed{n} if isinstance(one, BaseException))",
    ]


def _started_early(program: Program, _draw: st.DrawFn, _depth: int) -> list[str]:
    n = program.next()
    start = _call(f"g{n}-early").replace("execute_activity", "start_activity")
    return [
        f"early{n} = {start}  # c{n}",
        f"total += await {_call(f'g{n}-late')}",
        f"total += await early{n}",
    ]


def _in_time(program: Program, _draw: st.DrawFn, _depth: int) -> list[str]:
    n = program.next()
    return [f"total += await asyncio.wait_for({_call(f't{n}')}, 60)  # c{n}"]


_LEAVES: Final = (
    *(_note, _fan_out, _sleep, _inside_an_expression, _while),
    *(_inner_function, _gather_with_errors, _started_early, _in_time),
)
_ON_SELF: Final = (_wait, _wait_in_vain)
_NESTED: Final = (_branch, _loop, _guarded)
_CALLS: Final = (_method, _function)


def _block(program: Program, draw: st.DrawFn, depth: int, *, pure: bool = False) -> list[str]:
    """Return the lines of a block; a pure one uses no ``self``."""
    kinds: list[Callable[[Program, st.DrawFn, int], list[str]]] = [*_LEAVES]
    if not pure:
        kinds += _ON_SELF
        kinds += (*_NESTED, *_CALLS) if depth < DEEPEST else ()
    lines: list[str] = []
    for _ in range(draw(st.integers(1, 3) if depth else st.integers(3, 6))):
        lines += draw(st.sampled_from(kinds))(program, draw, depth)
    return lines


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _text(lines: list[str], spaces: int) -> str:
    return "\n".join(" " * spaces + line for line in lines)


@st.composite
def programs(draw: st.DrawFn) -> Sources:
    """Draw a program."""
    program = Program()
    body = _text(_block(program, draw, 0), 8)
    names = sorted(text.split("(")[0].split()[-1] for text in program.functions)
    imports = ["    from steps import fail, note"]
    if names:
        imports.insert(0, f"    from helpers import {', '.join(names)}")
    helpers = HEAD.format(what="Helpers", imports="    from steps import fail, note") + "".join(program.functions)
    flow = HEAD.format(what="The workflow", imports="\n".join(imports))
    flow += FLOW.format(body=body, signals=SIGNALS, methods="".join(program.methods))
    return Sources(STEPS, helpers if names else "", flow)
