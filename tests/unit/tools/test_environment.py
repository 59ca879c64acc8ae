"""environment.yml, pyproject.toml and constraints.txt say the same, and each line can be parsed."""

import re
import tomllib
from importlib import metadata

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

from tools import ROOT, setup

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, BUILD = CONFIG["project"], CONFIG["tool"]["setuptools"]
PACKAGE = ROOT / PROJECT["name"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
EXTRAS = PROJECT["optional-dependencies"]
LINES = [*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["chip"], *EXTRAS["executorch"]]
REQUIREMENTS = [Requirement(line) for line in LINES if line != "mnist_compress[chip]"]


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
    assert len((ROOT / "constraints.txt").read_text().splitlines()) == 1 + len(pins())
    for pin in pins().values():
        (one,) = pin.specifier
        assert one.operator == "==" and "*" not in one.version, pin


def test_python_versions_agree_with_the_setup():
    (major, low), (_, high) = setup.VERSIONS
    wanted = SpecifierSet(PROJECT["requires-python"])
    taken = [minor for minor in range(30) if f"{major}.{minor}" in wanted]
    assert taken == list(range(low, high + 1))
    assert ".".join(map(str, setup.REFUSED)) not in wanted


def come_along(requirement, found):
    """Add to `found` the names of the installed packages that this one brings, itself included;
    not those for graphics cards, which torch's CPU build does without."""
    name = canonicalize_name(requirement.name)
    if name in found or name.startswith(("cuda-", "nvidia-", "triton")):
        return
    try:
        requires = metadata.requires(name) or []
    except metadata.PackageNotFoundError:  # an extra that is not installed here
        return
    found.add(name)
    for line in requires:
        other = Requirement(line)
        extras = requirement.extras or {""}
        if not other.marker or any(other.marker.evaluate({"extra": each}) for each in extras):
            come_along(other, found)


def test_every_package_that_comes_along_is_pinned():
    found = set()
    for requirement in REQUIREMENTS:
        come_along(requirement, found)
    assert len(found) > 100
    assert sorted(found - pins().keys()) == []


def test_each_folder_of_the_package_is_installed():
    folders = {path.parent.relative_to(ROOT) for path in PACKAGE.rglob("__init__.py")}
    assert {".".join(folder.parts) for folder in folders} == set(BUILD["packages"])


def test_each_file_of_the_package_is_installed():
    named = {path for package, patterns in BUILD["package-data"].items() for pattern in patterns
             for path in ROOT.joinpath(*package.split(".")).glob(pattern)}
    others = {path for path in PACKAGE.rglob("[!.]*")
              if path.is_file() and path.suffix not in (".py", ".pyc")}
    assert sorted(others - named) == []
    assert len(named) > 20
