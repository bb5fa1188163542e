"""Random durable programs: drawn as data, run as generators that note everything they see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from resonate_core.errors import Cancelled
from resonate_core.marks import durable, entry, signal

if TYPE_CHECKING:
    from collections.abc import Generator


def work(x: Any = None) -> Any: ...


@dataclass(frozen=True)
class Do:
    """One command: what to do, with which promise (counted modulo those at hand), with which inner program."""

    what: str
    pick: int = 0
    inner: tuple[Do, ...] = ()


LEAVES = (
    "run", "begin", "rpc", "begin rpc", "latent", "sleep", "begin sleep", "await", "select", "gather", "gather all",
    "recv", "recv timeout", "until", "until timeout", "drain", "cancel", "send", "event", "get event", "now",
)  # fmt: skip

leaves = st.builds(Do, st.sampled_from(LEAVES), st.integers(0, 5))


def _nested(inner: Any) -> Any:
    return st.builds(
        Do,
        st.sampled_from(["child", "begin child", "shielded", "gather new", "gather limit"]),
        st.integers(0, 5),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
    )


commands = st.recursive(leaves, _nested, max_leaves=6)
programs = st.lists(commands, min_size=1, max_size=6).map(tuple)
#: What the handler of a signal does: mostly nothing that waits.
handlers = st.just(()) | st.lists(leaves, max_size=2).map(tuple)


class Run:
    """One run of a program; ``trace`` takes what it sees, in the order in which it sees it."""

    def __init__(self, trace: list[Any]) -> None:
        self.trace = trace
        self.signals: list[Any] = []

    def note(self, ctx: Any, what: str, value: Any) -> None:
        self.trace.append((ctx.base, what, repr(value), ctx.now().timestamp(), len(self.signals)))

    def body(self, ctx: Any, program: tuple[Do, ...]) -> Generator[Any, Any, Any]:
        promises: list[Any] = []
        for number, do in enumerate(program):
            what = f"{number} {do.what}"
            try:
                value = yield from self.step(ctx, do, promises)
            except (Cancelled, GeneratorExit) as error:
                if isinstance(error, Cancelled):
                    self.note(ctx, what, error)
                raise
            except Exception as error:
                self.note(ctx, what, error)
            else:
                self.note(ctx, what, value)
        return len(self.trace)

    def step(self, ctx: Any, do: Do, promises: list[Any]) -> Generator[Any, Any, Any]:  # noqa: C901, PLR0911 - a table
        chosen = promises[do.pick % len(promises)] if promises else None
        some = promises[: do.pick + 1]
        match do.what:
            case "run" | "rpc" | "sleep":
                return (yield self.command(ctx, do.what))
            case "begin" | "begin rpc" | "latent" | "begin sleep":
                promises.append((yield self.command(ctx, do.what)))
                return None
            case "await":
                return (yield chosen) if chosen is not None else None
            case "select":
                return (yield ctx.select(*some)) if some else None
            case "gather" | "gather all":
                return (yield ctx.gather(*some, return_exceptions=do.what == "gather all"))
            case "gather new" | "gather limit":
                parts = [ctx.run(self.body, do.inner), ctx.run(work), ctx.rpc("far"), ctx.sleep(1)]
                return (yield ctx.gather(*parts, *some, limit=2 if do.what == "gather limit" else None))
            case "child" | "begin child":
                promise = yield ctx.begin_run(self.body, do.inner)
                promises.append(promise)
                return (yield promise) if do.what == "child" else None
            case "shielded":
                with ctx.shielded():
                    for inner in do.inner:
                        yield from self.step(ctx, inner, promises)
                return "shielded"
            case "cancel":
                return (yield ctx.cancel(chosen)) if chosen is not None else None
            case _:
                return (yield from self.talk(ctx, do))

    def command(self, ctx: Any, what: str) -> Any:
        return {
            "run": lambda: ctx.run(work),
            "begin": lambda: ctx.begin_run(work),
            "rpc": lambda: ctx.rpc("far"),
            "begin rpc": lambda: ctx.begin_rpc("far"),
            "latent": ctx.promise,
            "sleep": lambda: ctx.sleep(1),
            "begin sleep": lambda: ctx.begin_sleep(1),
        }[what]()

    def talk(self, ctx: Any, do: Do) -> Generator[Any, Any, Any]:  # noqa: PLR0911 - a table
        seen = len(self.signals)
        match do.what:
            case "recv":
                return (yield ctx.recv("t"))
            case "recv timeout":
                return (yield ctx.recv("t", timeout=1))
            case "until":
                return (yield ctx.wait_until(lambda: len(self.signals) > seen))
            case "until timeout":
                return (yield ctx.wait_until(lambda: len(self.signals) > seen, timeout=1))
            case "drain":
                return (yield ctx.drain())
            case "send":
                return (yield ctx.send("other", do.pick))
            case "event":
                return (yield ctx.set_event(f"k{do.pick}", do.pick))
            case "get event":
                return (yield ctx.get_event("other", "k"))
            case _:
                return ctx.now()


def workflow(program: tuple[Do, ...], handler: tuple[Do, ...], trace: list[Any]) -> type:
    """Return a durable class that runs a program, with a signal handler that runs another."""

    @durable(name="program")
    class Program:
        def __init__(self) -> None:
            self.own = Run(trace)

        @entry
        def run(self, ctx: Any) -> Generator[Any, Any, Any]:
            return (yield from self.own.body(ctx, program))

        if handler:

            @signal
            def poke(self, ctx: Any, value: Any) -> Generator[Any, Any, Any]:
                self.own.signals.append(value)
                self.own.note(ctx, "signal", value)
                yield from self.own.body(ctx, handler)

        else:

            @signal
            def poke(self, value: Any) -> None:
                self.own.signals.append(value)
                trace.append(("signal", value))

    return Program
