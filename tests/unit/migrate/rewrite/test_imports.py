from __future__ import annotations

import ast

import pytest

CODE = "RM101"


def using(*targets, typing_only=False):
    """Use names in place of ``old()``; with no target just drop it."""

    def record(file, find):
        names = [file.name(target, typing_only=typing_only) for target in targets]
        file.replace(find(ast.Call, "old("), f"({', '.join(names)},)" if names else "None", code=CODE)

    return record


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # into its own group, in place of the old SDK's
        ("import os\n\nfrom sdk import old\n\nold()\nos\n", "import os\n\nfrom core import new\n\n(new,)\nos\n"),
        # the group goes on with others
        (
            "import os\n\nfrom alpha import a\nfrom sdk import old\nfrom zeta import z\n\nold(a, z)\nos, a, z\n",
            "import os\n\nfrom alpha import a\nfrom core import new\nfrom zeta import z\n\n(new,)\nos, a, z\n",
        ),
        # no third party yet
        ("import os\n\nold()\nos\n", "import os\n\nfrom core import new\n\n(new,)\nos\n"),
        # no import at all, a docstring first
        ('"""Doc."""\n\nold()\n', '"""Doc."""\n\nfrom core import new\n\n(new,)\n'),
        ("# head\n\nold()\n", "# head\n\nfrom core import new\n\n(new,)\n"),
        # extended in place, sorted as it was
        (
            "from core import alpha, zeta\n\nold(alpha, zeta)\nalpha, zeta\n",
            "from core import alpha, new, zeta\n\n(new,)\nalpha, zeta\n",
        ),
        # over several lines
        (
            "from core import (\n    alpha,  # why\n    zeta,\n)\n\nold()\nalpha, zeta\n",
            "from core import (\n    alpha,  # why\n    new,\n    zeta,\n)\n\n(new,)\nalpha, zeta\n",
        ),
        # there already, also as a module
        ("from core import new\nold()\nnew\n", "from core import new\n(new,)\nnew\n"),
        ("import core\nold()\ncore\n", "import core\n(core.new,)\ncore\n"),
        ("from core import new as fresh\nold()\nfresh\n", "from core import new as fresh\n(fresh,)\nfresh\n"),
        # taken by something else
        ("new = 1\nold()\n", "from core import new as resonate_new\n\nnew = 1\n(resonate_new,)\n"),
        # future imports stay first
        (
            "from __future__ import annotations\n\nold()\n",
            "from __future__ import annotations\n\nfrom core import new\n\n(new,)\n",
        ),
    ],
)
def test_wanted_name_is_imported_in_the_files_style(edited, before, after):
    assert edited(before, using("core.new")) == after


def test_long_import_is_broken_one_name_per_line(edited):
    names = ", ".join(f"name_number_{n}" for n in range(5))
    result = edited(f"from core import {names}\n\nold()\n{names}\n", using("core.new"))
    assert result.startswith("from core import (\n    name_number_0,\n")
    assert "    new,\n)\n" in result


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # used before and not any more
        ("from datetime import timedelta\n\nold(timedelta(1))\n", "None\n"),
        (
            "from datetime import datetime, timedelta\n\nold(timedelta(1))\ndatetime\n",
            "from datetime import datetime\n\nNone\ndatetime\n",
        ),
        # never used: not ours to judge
        ("import os\nfrom datetime import timedelta\n\nold(timedelta(1))\n", "import os\n\nNone\n"),
        # the old SDK's goes even if it was not used
        ("import os\nimport sdk.thing\nfrom sdk import other\n\nold()\nos\n", "import os\n\nNone\nos\n"),
        # still used elsewhere, in a string annotation, in __all__
        ("import asyncio\nold(asyncio)\nasyncio.run\n", "import asyncio\nNone\nasyncio.run\n"),
        ('from sdk import T\n\n\ndef f(x: "T"):\n    old(T)\n', 'from sdk import T\n\n\ndef f(x: "T"):\n    None\n'),
        ('from sdk import T\n\n__all__ = ["T"]\nold(T)\n', 'from sdk import T\n\n__all__ = ["T"]\nNone\n'),
        # an explicit re-export
        ("from sdk import T as T\n\nold()\n", "from sdk import T as T\n\nNone\n"),
        # the last one of a function or of a block
        ("def f():\n    import sdk\n\n    old(sdk)\n", "def f():\n    None\n"),
        (
            "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from sdk import T\n\nold()\nTYPE_CHECKING\n",
            "from typing import TYPE_CHECKING\n\nNone\nTYPE_CHECKING\n",
        ),
        (
            "try:\n    from sdk import x\nexcept ImportError:\n    x = None\nold()\n",
            "try:\n    pass\nexcept ImportError:\n    x = None\nNone\n",
        ),
        # its comment stays, a linter's goes
        ("from sdk import x  # because\n\nold(x)\n", "# because\n\nNone\n"),
        ("from sdk import x  # noqa: F401\nimport os\n\nold(x)\nos\n", "import os\n\nNone\nos\n"),
    ],
)
def test_import_that_is_not_needed_any_more_goes(edited, before, after):
    assert edited(before, using()) == after


def test_typing_only_name_goes_into_the_type_checking_block(edited):
    text = (
        "from __future__ import annotations\n\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n"
        "    from core import Other\n\n\ndef f(x: Other):\n    old()\n"
    )

    def record(file, find):
        file.add_parameter(
            find(ast.FunctionDef, "def"), f"ctx: {file.name('core.Context', typing_only=True)}", code=CODE
        )

    assert "    from core import Context, Other\n" in edited(text, record)


def test_renamed_import_follows_with_and_without_alias(edited):
    def record(file, find):
        statement = find(ast.ImportFrom, "from wf")
        file.rename_import(statement.names[0], "order")
        file.rename_import(statement.names[1], "price")
        file.replace(find(ast.Name, "Order"), "order", code=CODE)

    text = "from wf import Order, Price as P\n\nOrder, P\n"
    assert edited(text, record) == "from wf import order, price as P\n\norder, P\n"
