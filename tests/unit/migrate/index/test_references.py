from __future__ import annotations


def definition(project, name):
    return next(one for one in project.definitions() if one.qualname == name)


FILES = {
    "flow.py": """
        from __future__ import annotations
        import sdk
        __all__ = ["Order", "helper"]

        class Order:
            async def run(self): ...

        async def helper(x): ...
        """,
    "use.py": """
        import flow
        from flow import Order, helper as h

        def one(order: "Order", others: list["flow.Order"]) -> None:
            h(1)
            flow.helper(2)
            Order.run
            [h]

        helper = 3
        """,
}


def test_references_find_names_attributes_imports_annotations_and_all(project):
    made = project(FILES)
    found = [(one.module.path, one.kind) for one in made.references(definition(made, "flow.Order"))]
    assert sorted(found) == [
        ("flow.py", "export"),
        ("use.py", "annotation"),
        ("use.py", "annotation"),
        ("use.py", "import"),
        ("use.py", "name"),
    ]


def test_references_tell_calls_from_values_and_members(project):
    made = project(FILES)
    helper = made.references(definition(made, "flow.helper"))
    assert [one.call is not None for one in helper if one.kind == "name"] == [True, True, False]
    assert [one.kind for one in made.references(definition(made, "flow.Order.run"))] == ["member"]


def test_calls_know_caller_and_callee(project):
    made = project(FILES)
    helper, one = definition(made, "flow.helper"), definition(made, "use.one")
    assert [site.caller for site in made.callers(helper)] == [one, one]
    assert [site.callee for site in made.callees(one)] == [helper, helper]


def test_calls_of_a_class_count_for_its_init_even_if_inherited(project):
    made = project({"a.py": "import sdk\nclass A:\n    def __init__(self): ...\nclass B(A): ...\nB()\n"})
    assert len(made.callers(definition(made, "a.A.__init__"))) == 1


def test_family_holds_overriding_and_overridden_methods(project):
    made = project(
        {
            "a.py": "import sdk\nclass A:\n    def f(self): ...\n"
            "class B(A):\n    def f(self): ...\nclass C(A):\n    def f(self): ...\n"
        }
    )
    family = made.classes.family(definition(made, "a.B.f"))
    assert sorted(one.qualname for one in family) == ["a.A.f", "a.B.f", "a.C.f"]


def test_mro_of_a_diamond_visits_the_shared_base_last(project):
    made = project({"a.py": "import sdk\nclass A: ...\nclass B(A): ...\nclass C(A): ...\nclass D(B, C, sdk.X): ...\n"})
    line = [one if isinstance(one, str) else one.name for one in made.classes.mro(definition(made, "a.D"))]
    assert line == ["D", "B", "C", "A", "sdk.X"]


def test_class_that_inherits_from_itself_ends(project):
    made = project({"a.py": "import sdk\nclass A(A): ...\n"})
    assert [one.name for one in made.classes.mro(definition(made, "a.A"))] == ["A"]
