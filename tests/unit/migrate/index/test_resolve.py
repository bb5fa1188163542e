from __future__ import annotations

import ast

import pytest


def meaning(project, module, text):
    """Say what the expression ``text`` (the first with that source) means."""
    found = project.modules[module]
    for node in ast.walk(found.tree):
        if isinstance(node, ast.expr) and ast.get_source_segment(found.source.text, node) == text:
            answer = project.resolve(found, node)
            return None if answer is None else f"{answer.kind}:{answer.name}"
    raise AssertionError(f"{text} does not stand in {module}")


@pytest.mark.parametrize(
    ("text", "expression", "expected"),
    [
        ("import sdk\nsdk.go", "sdk.go", "external:sdk.go"),
        ("import sdk.flow\nsdk.flow.go", "sdk.flow.go", "external:sdk.flow.go"),
        ("import sdk.flow as f\nf.go", "f.go", "external:sdk.flow.go"),
        ("from sdk import flow as f\nf.go", "f.go", "external:sdk.flow.go"),
        ("from sdk.flow import go as g\ng", "g", "external:sdk.flow.go"),
        ("from sdk.flow import *\ngo", "go", "external:sdk.flow.go"),
        ("with guard():\n    from sdk import flow\nflow.go", "flow.go", "external:sdk.flow.go"),
        ("try:\n    from sdk import go\nexcept ImportError:\n    from old import go\ngo(1)", "go", "external:sdk.go"),
        ("try:\n    from sdk import go\nexcept ImportError:\n    go = None\ngo(1)", "go", "external:sdk.go"),
        ("from sdk import go\nrun = go\nrun(1)", "run", "external:sdk.go"),
        ("def f():\n    from sdk import go\n    go()", "go", "external:sdk.go"),
        # shadowed
        ("from sdk import go\ndef f(go):\n    go(1)", "go(1)", None),
        ("from sdk import go\ngo = input()\ngo(1)", "go(1)", None),
        # a class body is not seen from its methods
        ("from sdk import go\nclass A:\n    go = 1\n    def f(self):\n        go(1)", "go(1)", None),
        ("import sdk\nprint(1)", "print", "external:builtins.print"),
        # instances
        ("from sdk import Client\nc = Client()\nc.start", "c.start", "external:sdk.Client.start"),
        ("from sdk import Client\nasync def f(c: Client):\n    c.start", "c.start", "external:sdk.Client.start"),
        (
            "from sdk import Client\nasync def f(c: 'Client | None'):\n    c.start",
            "c.start",
            "external:sdk.Client.start",
        ),
        (
            "from typing import Optional\nfrom sdk import Client\ndef f(c: Optional[Client]):\n    c.start",
            "c.start",
            "external:sdk.Client.start",
        ),
        (
            "from sdk import Client\nasync def f():\n    async with Client() as c:\n        c.start",
            "c.start",
            "external:sdk.Client.start",
        ),
        (
            "from sdk import Client\nasync def f():\n    c = await Client.connect()\n    c.start",
            "c.start",
            "external:sdk.Client.start",
        ),
        (
            (
                "from sdk import Client\nasync def get():\n    return await Client.connect()\nasync def f():\n"
                "    c = await get()\n    c.start"
            ),
            "c.start",
            "external:sdk.Client.start",
        ),
        (
            "from sdk import Client\nasync def get() -> Client: ...\nasync def f():\n    (await get()).start",
            "(await get()).start",
            "external:sdk.Client.start",
        ),
        (
            (
                "from sdk import Client\nclass A:\n    def __init__(self, c: Client):\n        self.c = c\n"
                "    def f(self):\n        self.c.start"
            ),
            "self.c.start",
            "external:sdk.Client.start",
        ),
        (
            "from sdk import Client\nclass A:\n    c: Client\n    def f(self):\n        self.c.start",
            "self.c.start",
            "external:sdk.Client.start",
        ),
        (
            (
                "from sdk import Client\nclass A:\n    @property\n    def c(self) -> Client: ...\n    def f(self):\n"
                "        self.c.start"
            ),
            "self.c.start",
            "external:sdk.Client.start",
        ),
        ("from sdk import Client\nx = Client() or Client()\nx.start", "x.start", "external:sdk.Client.start"),
        ("from sdk import Env\ne = Env()\ne.client.start", "e.client.start", "external:sdk.Client.start"),
        # assigned elsewhere
        (
            (
                "from sdk import Client\nc = None\nasync def f():\n    global c\n    c = await Client.connect()\n"
                "def g():\n    c.start"
            ),
            "c.start",
            "external:sdk.Client.start",
        ),
        (
            (
                "from sdk import Client\ndef f():\n    c = None\n    "
                "def h():\n        nonlocal c\n        c = Client()\n"
                "    c.start"
            ),
            "c.start",
            "external:sdk.Client.start",
        ),
        # inherited from an external class
        ("import sdk\nclass A(sdk.Base):\n    def f(self):\n        self.go", "self.go", "external:sdk.Base.go"),
    ],
)
def test_resolve_expression_gives_its_external_name(project, text, expression, expected):
    types = {"sdk.Client.connect": "sdk.Client", "sdk.Env.client": "sdk.Client"}
    assert meaning(project({"a.py": text + "\n"}, types=types), "a", expression) == expected


def test_resolve_follows_re_exports_chains_and_relative_imports(project):
    made = project(
        {
            "app/__init__.py": "from .flows import *\nfrom .flows.order import Order as Main\n",
            "app/flows/__init__.py": "from .order import Order\n",
            "app/flows/order.py": "import sdk\nclass Order:\n    async def run(self): ...\n",
            "use.py": "import app\nfrom app import Main, Order\napp.flows.order.Order.run, Order.run, Main, app.Main\n",
        }
    )
    for expression in ("app.flows.order.Order.run", "Order.run"):
        assert meaning(made, "use", expression) == "definition:app.flows.order.Order.run"
    for expression in ("Main", "app.Main"):
        assert meaning(made, "use", expression) == "definition:app.flows.order.Order"


def test_resolve_import_cycle_ends(project):
    made = project({"a.py": "import sdk\nfrom b import x\nx\n", "b.py": "from a import x\n"})
    assert meaning(made, "a", "x") is None


def test_resolve_methods_through_bases_overrides_and_super(project):
    made = project(
        {
            "base.py": "import sdk\nclass Base:\n    def helper(self): ...\n    def other(self): ...\n",
            "sub.py": (
                "from base import Base\nclass Sub(Base):\n    def helper(self):\n        super().helper()\n"
                "        self.helper()\n        self.other()\n"
            ),
        }
    )
    assert meaning(made, "sub", "super().helper") == "definition:base.Base.helper"
    assert meaning(made, "sub", "self.helper") == "definition:sub.Sub.helper"
    assert meaning(made, "sub", "self.other") == "definition:base.Base.other"


def test_resolve_module_of_a_src_layout_and_of_a_neighbouring_script(project):
    made = project(
        {
            "src/shop/__init__.py": "",
            "src/shop/flow.py": "import sdk\ndef pay(): ...\n",
            "jobs/run.py": "import sdk\nfrom shop.flow import pay\nfrom tools import go\npay, go\n",
            "jobs/tools.py": "def go(): ...\n",
            "other/tools.py": "import sdk\ndef stop(): ...\n",
        }
    )
    assert meaning(made, "jobs.run", "pay") == "definition:shop.flow.pay"
    assert meaning(made, "jobs.run", "go") == "definition:jobs.tools.go"


def test_resolve_standard_library_is_not_taken_for_a_neighbour_elsewhere(project):
    made = project({"a.py": "import sdk\nimport queue\nqueue.Queue\n", "lib2/queue.py": "import sdk\n"})
    assert meaning(made, "a", "queue.Queue") == "external:queue.Queue"
