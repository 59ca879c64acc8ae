"""Every small change of a right function is refused, but for those that change nothing."""

import ast
import copy

import pytest

from mnist_compress.ui import exercises

from .helpers import RIGHT, SPACE, solutions

OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
             ast.Pow: ast.Mult, ast.RShift: ast.LShift, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
             ast.GtE: ast.Gt}
NAMES = {"round": "int", "min": "max", "max": "min", "abs": "neg", "argmax": "argmin",
         "argmin": "argmax", "mean": "sum", "round_": "ceil", "sign": "abs", "int8": "uint8",
         "int32": "int16", "ones": "zeros", "floats": "integers"}

# Changes that change nothing that counts: (exercise, the line after or without its "-" before).
EQUIVALENT = {
    ("my_mask", "+order = weight.abs().flatten().argsort()"),  # any of equal magnitudes may go
    ("my_mask", "+order = weight.abs().flatten().argsort(stable=False)"),
    ("my_fine_tune", "-return model"),  # it was changed in place
    ("my_frozen", "-return model"),
    ("my_speedup", "-network(digits)"),  # the median of nine bears one slow call
    ("my_speedup", "+digits"),  # in place of that call
    ("my_speedup", "+for _ in range(10):"),
    ("my_speedup", "+for _ in range(8):"),
    ("my_speedup", "+medians.append(sorted(times)[5])"),
    ("my_speedup", "+medians.append(sorted(times)[3])"),
}


def changes(node):
    """Functions that change a copy of this node in place, each in one way."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield lambda new: setattr(new, "value", new.value + 1)
        yield lambda new: setattr(new, "value", new.value - 1)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield lambda new: setattr(new, "value", not new.value)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield lambda new: setattr(new, "op", OPERATORS[type(new.op)]())
    if isinstance(node, ast.Compare):
        yield lambda new: setattr(new, "ops", [OPERATORS[type(new.ops[0])]()])
    if isinstance(node, ast.Name) and node.id in NAMES and isinstance(node.ctx, ast.Load):
        yield lambda new: setattr(new, "id", NAMES[new.id])
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield lambda new: setattr(new, "attr", NAMES[new.attr])
    if isinstance(node, ast.Slice) and node.upper and not node.lower:
        yield lambda new: (setattr(new, "lower", new.upper), setattr(new, "upper", None))
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load):
        yield lambda new: new.elts.reverse()
    for name in ("body", "keywords"):
        for place in range(len(getattr(node, name, ()))):
            yield lambda new, name=name, place=place: getattr(new, name).pop(place)
    for name, value in ast.iter_fields(node):  # x.abs() -> x, ~x -> x, and sorted(x) -> x
        inner = getattr(value, "operand", None)
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            inner = value.func.value
        elif isinstance(value, ast.Call) and len(value.args) == 1:
            inner = value.args[0]
        if inner:
            yield lambda new, name=name, inner=inner: setattr(new, name, inner)


def mutants(function):
    """Sources of the function with one change each."""
    found = {}
    for place, node in enumerate(ast.walk(function)):
        for change in changes(node):
            mutant = copy.deepcopy(function)
            change(list(ast.walk(mutant))[place])
            source = ast.unparse(ast.fix_missing_locations(mutant))
            found[source] = None
    found.pop(ast.unparse(function), None)
    return list(found)


def said_of(name, source):
    """What is said of this function; a source that is none counts as refused."""
    space = dict(SPACE)
    try:
        exec(source, space)
    except SyntaxError:
        return "no Python"
    return exercises.check(space[name])


def change(function, source):
    """The line that is new in this source, after "+"; if there is none, the one that is gone."""
    lines = [[line.strip() for line in text.splitlines()]
             for text in (ast.unparse(function), source)]
    new = [f"+{line}" for line in lines[1] if line not in lines[0]]
    gone = [f"-{line}" for line in lines[0] if lines[0].count(line) > lines[1].count(line)]
    return (new or gone)[0]


@pytest.mark.parametrize("name", solutions())
def test_no_mutant_is_accepted(name):
    function = solutions()[name]
    accepted = {(name, change(function, source)) for source in mutants(function)
                if said_of(name, source) == RIGHT}
    assert accepted == {each for each in EQUIVALENT if each[0] == name}


def test_there_are_enough_mutants():
    assert sum(len(mutants(function)) for function in solutions().values()) >= 60 + len(EQUIVALENT)
