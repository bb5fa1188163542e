"""A worker on the official Python SDK 0.8: runs its own program, serves its group, calls functions of ``ours``."""

import asyncio
import sys
from datetime import timedelta

from resonate.context import Context
from resonate.resonate import Resonate
from resonate.retry import Never


def double(_ctx: Context, number: int) -> int:
    return 2 * number


async def flow(ctx: Context, number: int) -> int:
    doubled = await ctx.run(double, number)
    await ctx.sleep(timedelta(seconds=0.2))
    more = await ctx.rpc(child, doubled)
    return doubled + more


async def child(_ctx: Context, number: int) -> int:
    return number + 1


async def fails(_ctx: Context, what: str) -> None:
    raise ValueError(f"cannot {what}")


async def calls_ours(ctx: Context, number: int) -> list:
    value = await ctx.options(target="ours").rpc("our_flow", number)
    try:
        await ctx.options(target="ours").rpc("our_failure", "swim")
    except Exception as error:
        return [value, str(error)]
    return [value, "no error"]


async def main(url: str, group: str) -> None:
    resonate = Resonate(url=url, group=group, retry_policy=Never())
    for function in (flow, child, fails, calls_ours):
        resonate.register(function, name=function.__name__)
    own = resonate.run(f"{group}-own", flow, 5)
    print(await own.result(), flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
