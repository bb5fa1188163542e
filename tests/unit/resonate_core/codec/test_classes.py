"""What a class name in a record may do: it is chosen by whoever can write promises."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from resonate_core.codec import TYPES_HEADER, Codec
from resonate_core.codec.classes import ClassFinder, UnknownClassError, main_name, name_of
from resonate_core.errors import DecodeError
from resonate_core.protocol.records import Value

RECORD = Codec().encode_value({"a": 1}).data


def read(codec, name):
    return codec.decode_value(Value({TYPES_HEADER: f'"{name}"'}, RECORD))


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A package `shop_<n>` that is in use, with modules that nobody has imported yet."""
    package = tmp_path / f"shop_{abs(hash(tmp_path)) % 10**9}"
    (package / "jobs").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "jobs" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))

    class Project:
        name = package.name
        ran = package / "ran"

        def write(self, module, text):
            path = package.joinpath(*module.split(".")).with_suffix(".py")
            body = textwrap.dedent(text)
            path.write_text(f"import pathlib\npathlib.Path({str(self.ran)!r}).touch()\n{body}")
            return f"{package.name}.{module}"

        def use(self):
            __import__(package.name)

    yield Project()
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        del sys.modules[name]


MODEL = """
    from dataclasses import dataclass

    @dataclass
    class Order:
        a: int
"""


def test_class_of_a_package_in_use_is_imported(project):
    project.use()
    module = project.write("models", MODEL)
    assert type(read(Codec(), f"{module}:Order")).__name__ == "Order"


def test_class_in_a_sub_package_in_use_is_imported(project):
    project.use()
    module = project.write("jobs.models", MODEL)
    assert read(Codec(), f"{module}:Order").a == 1


def test_module_that_defines_no_such_class_is_not_run(project):
    project.use()
    module = project.write("jobs.send_invoices", "# class Order: is mentioned here and not defined\nprint(Order)")
    with pytest.raises(DecodeError, match="is not loaded in this process"):
        read(Codec(), f"{module}:Order")
    assert not project.ran.exists()


def test_package_that_is_not_in_use_is_not_imported(project):
    module = project.write("models", MODEL)
    with pytest.raises(DecodeError, match="is not loaded in this process"):
        read(Codec(), f"{module}:Order")
    assert not project.ran.exists()


def test_trusted_package_is_imported_although_it_is_not_in_use(project):
    module = project.write("models", MODEL)
    assert read(Codec(trusted=[project.name]), f"{module}:Order").a == 1


def test_nothing_is_imported_when_that_is_forbidden(project):
    project.use()
    module = project.write("models", MODEL)
    with pytest.raises(DecodeError, match="is not loaded in this process"):
        read(Codec(import_classes=False), f"{module}:Order")
    assert not project.ran.exists()
    __import__(module)
    assert read(Codec(import_classes=False), f"{module}:Order").a == 1


def test_main_module_of_a_package_is_never_imported(project):
    project.use()
    module = project.write("__main__", MODEL)
    with pytest.raises(DecodeError):
        read(Codec(), f"{module}:Order")
    assert not project.ran.exists()


@pytest.mark.parametrize("end", ["raise RuntimeError", "raise SystemExit(3)"])
def test_module_that_fails_to_import_is_one_that_is_not_there(project, end):
    project.use()
    module = project.write("models", f"class Order: ...\n{end}")
    with pytest.raises(DecodeError, match="is not loaded in this process"):
        read(Codec(), f"{module}:Order")


def test_class_that_is_made_by_a_call_is_imported_too(project):
    project.use()
    module = project.write("models", 'import enum\nOrder = enum.Enum("Order", {"A": 1}, module=__name__)')
    found = Codec().decode_value(Value({TYPES_HEADER: f'"{module}:Order#A"'}, "MQ=="))
    assert found.name == "A"


@pytest.mark.parametrize("module", ["antigravity", "this", "idlelib.run", "webbrowser", "pty"])
def test_module_of_the_standard_library_is_not_imported(module, monkeypatch):
    monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(UnknownClassError):
        ClassFinder(trusted=[module]).find(f"{module}:Anything")
    assert module not in sys.modules


def test_harmless_module_of_the_standard_library_is_imported(monkeypatch):
    monkeypatch.delitem(sys.modules, "tarfile", raising=False)
    assert issubclass(ClassFinder().find("tarfile:ReadError"), Exception)


@pytest.mark.parametrize(
    "name",
    [
        "os:system",
        "builtins:eval",
        "builtins:open",
        "subprocess:Popen",
        "os.path:join",
        "sys:modules",
        "collections.abc:Callable",
        "builtins:type",
        "builtins:object",
        "builtins:str",
        "functools:partial",
        "datetime:datetime.fromisoformat",
        "enum:Enum",
        "enum:Enum.__class__",
        "builtins:object.__subclasses__",
        "msgspec:Struct",
        ":",
        "::",
        "nowhere:",
        ":Order",
        "..:x",
        ".:x",
        "a b:c",
        "\x00:c",
        "resonate_core.codec:Codec",
        "threading:Thread",
        "pathlib:Path",
    ],
)
def test_name_of_anything_but_data_is_a_decode_error(codec, name):
    with pytest.raises(DecodeError):
        codec.decode_value(Value({TYPES_HEADER: f"[{Codec()._sealed(b'1', name).headers[TYPES_HEADER]},null]"}, RECORD))


def test_name_asks_no_module_attribute_hook_and_no_property(project):
    project.use()
    module = project.write("models", "def __getattr__(name): raise SystemExit(name)")
    __import__(module)
    with pytest.raises(DecodeError, match="has no class"):
        read(Codec(), f"{module}:Order")


def test_class_defined_again_under_its_name_is_the_one_that_comes_back(project, codec):
    project.use()
    module_name = project.write("models", MODEL)
    assert read(codec, f"{module_name}:Order").a == 1
    module = sys.modules[module_name]
    exec(textwrap.dedent(MODEL), vars(module))
    assert type(read(codec, f"{module_name}:Order")) is module.Order


def test_value_of_the_class_before_it_was_defined_again_is_still_stored(project, codec):
    project.use()
    module_name = project.write("models", MODEL)
    old = read(codec, f"{module_name}:Order")
    module = sys.modules[module_name]
    exec(textwrap.dedent(MODEL), vars(module))
    assert type(codec.decode_value(codec.encode_value(old))) is module.Order


SCRIPT = """
import sys
from dataclasses import dataclass
from resonate_core.codec import Codec

@dataclass
class Order:
    a: int

if __name__ == "__main__":
    payload = Codec().encode_value(Order(1))
    print(payload.headers["resonate:types"], type(Codec().decode_value(payload)) is Order)
"""


@pytest.mark.parametrize(
    ("file", "arguments", "name"),
    [
        ("worker.py", ["worker.py"], "worker:Order"),
        ("app/worker.py", ["-m", "app.worker"], "app.worker:Order"),
        ("app/__main__.py", ["-m", "app"], "app.__main__:Order"),
        ("my-worker.py", ["my-worker.py"], "__main__:Order"),
    ],
)
def test_class_of_the_started_module_is_named_as_other_processes_know_it(tmp_path, file, arguments, name):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(SCRIPT)
    environment = {"PYTHONPATH": f"{sys.path[0]}:{':'.join(filter(None, sys.path))}"}
    out = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == [f'"{name}"', "True"]


def test_class_of_the_started_module_is_found_where_the_module_is_imported(tmp_path):
    (tmp_path / "worker.py").write_text(SCRIPT)
    (tmp_path / "client.py").write_text(
        "import worker\nfrom resonate_core.codec import Codec\nfrom resonate_core.protocol.records import Value\n"
        "found = Codec().decode_value(Value({'resonate:types': '\"worker:Order\"'}, 'eyJhIjoxfQ=='))\n"
        "print(type(found) is worker.Order)\n"
    )
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    out = subprocess.run(
        [sys.executable, "client.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert out.stdout == "True\n"


def test_name_of_a_class_in_a_spawned_process_is_that_of_the_parent():
    order = type("Order", (), {"__module__": "__mp_main__"})
    assert name_of(order) == f"{main_name()}:Order"
