from __future__ import annotations

from pathlib import Path

import pytest

from migrate.index.reach import reached

ROOT = Path("/project")


def names(files, hits=("flow.py",)):
    data = {ROOT / name: text.encode() for name, text in files.items()}
    found = reached(data, {ROOT / name for name in hits})
    return sorted(file.relative_to(ROOT).as_posix() for file in found - {ROOT / name for name in hits})


@pytest.mark.parametrize(
    "line",
    [
        "from flow import x",
        "from flow import (\n    other,  # why\n    x,\n)",
        "import flow",
        "import os, flow as f",
        "def f():\n    from flow import x",
        "from . import flow",
        "from .flow import x",
        "from flow import *",
        "if True:\n\timport flow\r\n",
    ],
)
def test_file_that_imports_a_hit_matters(line):
    assert names({"flow.py": "", "user.py": f"{line}\n", "other.py": "import os\n"}) == ["user.py"]


@pytest.mark.parametrize(
    "line", ["import os", "from flows import x", "# from flow import x", "x = 'import flow'", "from os import flow"]
)
def test_file_that_does_not_import_a_hit_costs_nothing_more(line):
    assert names({"flow.py": "", "user.py": f"{line}\n"}) == []


def test_names_that_are_handed_on_are_followed_and_others_are_not():
    files = {
        "app/flow.py": "",
        "app/__init__.py": "from .flow import Order as Main\nfrom .tools import helper\n",
        "app/tools.py": "helper = 1\n",
        "uses.py": "from app import Main\n",
        "whole.py": "import app\n",
        "not_it.py": "from app import helper\n",
        "again.py": "from uses import Main\n",
        "star.py": "from app import *\n",
        "behind_star.py": "from star import Main\n",
    }
    assert names(files, ["app/flow.py"]) == [
        "again.py",
        "app/__init__.py",
        "behind_star.py",
        "star.py",
        "uses.py",
        "whole.py",
    ]


def test_one_part_names_mean_a_neighbour_or_what_stands_above():
    files = {"jobs/flow.py": "import client\n", "jobs/client.py": "", "vendor/client.py": "", "lib/queue.py": ""}
    assert names(files, ["jobs/flow.py"]) == ["jobs/client.py"]
    files = {"jobs/flow.py": "import queue\n", "jobs/queue.py": ""}
    assert names(files, ["jobs/flow.py"]) == []


def test_names_of_the_sdk_do_not_pull_in_files_that_are_called_alike():
    files = {
        "flow.py": "from sdk.client import Client\nfrom sdk import worker\n",
        "vendor/client.py": "",
        "vendor/worker.py": "",
    }
    assert names(files) == []


def test_helpers_are_found_a_few_imports_away():
    files = {"flow.py": "import h0\n", **{f"h{n}.py": f"import h{n + 1}\n" for n in range(9)}}
    assert names(files) == ["h0.py", "h1.py", "h2.py", "h3.py"]


def test_src_layout_and_packages_resolve_by_their_whole_name():
    files = {
        "src/shop/flow.py": "",
        "tests/test_it.py": "from shop.flow import x\n",
        "src/shop/other.py": "from shop import flow\n",
    }
    assert names(files, ["src/shop/flow.py"]) == ["src/shop/other.py", "tests/test_it.py"]
