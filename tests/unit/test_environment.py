"""environment.yml, pyproject.toml and constraints.txt say the same, and each line can be parsed."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [Requirement(line) for line in
                PROJECT["dependencies"] + EXTRAS["test"] + EXTRAS["edge"]]


def pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(each.name): each for each in found}


def test_the_conda_part_is_python_and_pip_alone():
    *conda, last = ENVIRONMENT["dependencies"]
    specs = [MatchSpec(line, strict=True) for line in conda]
    assert [spec.name.normalized for spec in specs] == ["python", "pip"]
    assert list(last) == ["pip"]
    assert ENVIRONMENT["channels"] == ["conda-forge"]
    assert ENVIRONMENT["name"] == PROJECT["name"]


def test_conda_and_the_package_ask_for_the_same_python():
    line = next(line for line in ENVIRONMENT["dependencies"] if str(line).startswith("python"))
    assert SpecifierSet(line.removeprefix("python ")) == SpecifierSet(PROJECT["requires-python"])


def test_the_pip_part_reads_the_package_and_its_constraints():
    index, constraints, package = ENVIRONMENT["dependencies"][-1]["pip"]
    assert index == "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert (ROOT / constraints.removeprefix("-c ")).is_file()
    folder, extra = re.fullmatch(r"-e (\.)\[(\w+)\]", package).groups()
    assert folder == "." and extra in PROJECT["optional-dependencies"]


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.name)
def test_each_dependency_has_a_lower_bound_and_a_pin_above_it(requirement):
    (bound,) = requirement.specifier
    (pin,) = pins()[canonicalize_name(requirement.name)].specifier
    assert bound.operator == ">=" and pin.operator == "=="
    assert Version(pin.version) in requirement.specifier


def test_everything_is_pinned_to_one_version():
    for pin in pins().values():
        (one,) = pin.specifier
        assert one.operator == "==" and "*" not in one.version, pin


def test_python_versions_agree_with_the_setup():
    text = (ROOT / "tools" / "setup.py").read_text()
    low, high = re.search(r"VERSIONS = \((.*?)\), \((.*?)\)", text).groups()
    wanted = SpecifierSet(PROJECT["requires-python"])
    assert low.replace(", ", ".") in wanted and high.replace(", ", ".") in wanted
    above = ".".join([high.split(", ")[0], str(int(high.split(", ")[1]) + 1)])
    assert above not in wanted
