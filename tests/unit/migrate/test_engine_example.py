"""The smallest whole source: how rules are written against the engine."""

from __future__ import annotations

from migrate.engine import plan
from migrate.outcome import settle
from tests.unit.migrate.tiny import Tiny


def run(project):
    return settle(plan(project, Tiny())).texts


def test_engine_steps_in_two_files_become_generators(project):
    texts = run(
        project(
            {
                "app/__init__.py": "",
                "app/flow.py": """
                    from sdk import workflow

                    from app.helpers import total


                    # pays
                    @workflow
                    async def pay(order: str) -> int:
                        # add it up
                        amount = await total(order)  # in cents
                        return amount + 1
                    """,
                "app/helpers.py": """
                    import sdk


                    async def price(order: str) -> int:
                        return 1


                    async def total(order: str) -> int:
                        \"\"\"Add up.\"\"\"
                        return await sdk.step(
                            price,
                            order,  # the one
                        ) + await sdk.step(price, "tip")
                    """,
            }
        )
    )
    assert texts["app/flow.py"] == (
        "from collections.abc import Generator\n"
        "from typing import Any\n"
        "\n"
        "from resonate_core import Context, durable\n"
        "\n"
        "from app.helpers import total\n"
        "\n"
        "\n"
        "# pays\n"
        "@durable()\n"
        "def pay(ctx: Context, order: str) -> Generator[Any, Any, int]:\n"
        "    # add it up\n"
        "    amount = yield from total(ctx, order)  # in cents\n"
        "    return amount + 1\n"
    )
    assert texts["app/helpers.py"] == (
        "from collections.abc import Generator\n"
        "from typing import Any\n"
        "\n"
        "from resonate_core import Context\n"
        "\n"
        "\n"
        "async def price(order: str) -> int:\n"
        "    return 1\n"
        "\n"
        "\n"
        "def total(ctx: Context, order: str) -> Generator[Any, Any, int]:\n"
        '    """Add up."""\n'
        "    return (yield ctx.run(\n"
        "        price,\n"
        "        order,  # the one\n"
        '    )) + (yield ctx.run(price, "tip"))\n'
    )


def test_engine_second_run_has_nothing_to_do(project):
    files = {
        "flow.py": "from resonate_core import durable\n\n\n@durable()\ndef pay(ctx):\n    yield ctx.sleep(1)  # sdk\n"
    }
    assert run(project(files)) == {}
