"""What holds for every module of the package: its floor, its docstrings, its types."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import mnist_compress

HOUSE = Path(mnist_compress.__file__).parent
FLOORS = ["arguments", "official", "data", "model", "stages", "statistics", "training", "pruning",
          "convolution", "integer", "quantization", "packed", "compress", "pretrained", "measure",
          "trace", "deploy", "ui"]
WINGS = ["integer", "packed", "compress", "pretrained", "measure", "deploy", "ui"]
TYPED = [*FLOORS[:12], "measure"]
SCREENS = {"matplotlib", "ipywidgets", "IPython", "anywidget", "pandas"}
FILES = sorted(path.relative_to(HOUSE) for path in HOUSE.rglob("*.py"))
MODULES = pytest.mark.parametrize("path", FILES, ids=str)


def floor(path):
    """The wing or module of the house a file belongs to: "packed" for packed/header.py."""
    return path.parts[0].removesuffix(".py")


def imported(path):
    """What a file imports anywhere in it, as dotted names; relative ones from the package on."""
    package = ["mnist_compress", *path.parts[:-1]]
    for node in ast.walk(ast.parse((HOUSE / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            start = package[:len(package) - node.level + 1] if node.level else []
            place = ".".join([*start, *filter(None, [node.module])])
            yield from (f"{place}.{alias.name}" for alias in node.names)


def public(path):
    """The public functions and classes of a file."""
    tree = ast.parse((HOUSE / path).read_text("utf-8"))
    return [node for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_"]


def functions(path):
    """The public functions of a file and the public methods of its public classes."""
    for node in public(path):
        for part in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(part, ast.FunctionDef) and part.name[0] != "_":
                yield part


@pytest.mark.parametrize(("text", "line"), [
    (mnist_compress.__doc__, r"^(\w+)/?  "),
    ((HOUSE.parent / "CONTRIBUTING.md").read_text("utf-8").partition("## To change")[0],
     r"^\| `(\w+)/?` \|")], ids=["package", "CONTRIBUTING"])
def test_the_map_shows_every_floor(text, line):
    assert re.findall(line, text, re.MULTILINE) == FLOORS


@MODULES
def test_a_module_imports_only_what_stands_above_it(path):
    rank = len(FLOORS) if path == Path("__init__.py") else FLOORS.index(floor(path))
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "mnist_compress":
            assert len(parts) > 1 and FLOORS.index(parts[1]) <= rank, name


def door(wing):
    """What a wing hands out."""
    return importlib.import_module(f"mnist_compress.{wing}").__all__


@MODULES
def test_a_wing_is_entered_by_its_door(path):
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "mnist_compress" and parts[1] in WINGS and parts[1] != floor(path):
            assert len(parts) < 3 or (len(parts) == 3 and parts[2] in door(parts[1])), name


@MODULES
def test_only_the_wing_with_the_screen_knows_a_screen(path):
    if floor(path) != "ui":
        assert not {name.split(".")[0] for name in imported(path)} & SCREENS


@MODULES
def test_integers_and_bytes_need_no_torch(path):
    if floor(path) in ("integer", "packed"):
        known = {tuple(name.split(".")[:2]) for name in imported(path)}
        assert not [name for name in known if name[0] == "torch"]
        assert {name[1] for name in known if name[0] == "mnist_compress"} <= {"integer", "packed"}


@MODULES
def test_what_is_public_says_what_it_is(path):
    assert ast.get_docstring(ast.parse((HOUSE / path).read_text("utf-8")))
    assert [node.name for node in public(path) if not ast.get_docstring(node)] == []


@MODULES
def test_public_signatures_have_types(path):
    if floor(path) in TYPED:
        for node in functions(path):
            args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [arg.arg for arg in args if not arg.annotation]
            assert set(bare) <= {"self", "cls"} and node.returns, node.name
