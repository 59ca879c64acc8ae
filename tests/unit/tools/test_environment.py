"""environment.yml, pyproject.toml and constraints.txt say the same, and each line can be parsed."""

import os
import re
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

from tools import ROOT, setup

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = CONFIG["project"]
PACKAGE = ROOT / PROJECT["name"]
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
EXTRAS = PROJECT["optional-dependencies"]
LINES = [*PROJECT["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
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


def test_binder_gets_a_python_and_what_conda_gets():
    text = (ROOT / ".binder" / "environment.yml").read_text()
    *conda, last = yaml.safe_load(text)["dependencies"]
    named = [re.match(r"python\s*=+\s*([\d\.]*)", line) for line in conda]  # as repo2docker does
    (version,) = [match[1] for match in named if match]
    assert f"{version}.0" in SpecifierSet(PROJECT["requires-python"]) and version.count(".") == 1
    above = [line.replace("-c ", "-c ../").replace("-e .", "-e ..")
             for line in ENVIRONMENT["dependencies"][-1]["pip"]]
    assert last["pip"] == above
    start = ROOT / ".binder" / "start"
    assert os.access(start, os.X_OK) and start.read_text().endswith('exec "$@"\n')


def test_repo2docker_finds_this_python(monkeypatch):
    conda = pytest.importorskip("repo2docker.buildpacks.conda").CondaBuildPack
    monkeypatch.chdir(ROOT)
    pack = conda("no image")
    assert pack.detect() and pack.binder_dir == ".binder"
    assert pack.python_version == "3.12"


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


@pytest.mark.parametrize("version", ["standard", "editable"])
def test_what_is_installed(tmp_path, version):
    """The package's files, or the folder where they are; in both cases the settings for Jupyter."""
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=[version])
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        folders = [file.read(name).decode() for name in names if name.endswith(".pth")]
    if version == "standard":
        files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("[!.]*")
                 if path.is_file() and path.suffix != ".pyc"}
        assert files == {name for name in names if name.startswith("mnist_compress/")}
        assert len(files) > 100 and not folders
    else:
        assert [Path(folder.strip()) for folder in folders] == [ROOT]
    data = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    assert data == {"etc/jupyter/labconfig/default_setting_overrides.d/mnist_compress.json",
                    "etc/jupyter/jupyter_server_config.d/mnist_compress.json"}


def test_the_package_is_built_by_what_wheels_takes_along():
    assert EXTRAS["build"] == CONFIG["build-system"]["requires"]
    assert "build" in setup.ACTIONS["wheels"]


def test_workflows_take_actions_by_commit_and_may_only_read():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        steps = re.findall(r"uses: (\S+)", text := path.read_text())
        assert steps and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", each) for each in steps)
        assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_requirements_have_hashes_and_the_versions_of_the_constraints():
    text = (ROOT / "requirements.txt").read_text()
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if entry[0] != "#"]
    found = {}
    for entry in entries:
        line, *hashes = entry.split(" \\\n")
        requirement = Requirement(line)
        found[canonicalize_name(requirement.name)] = requirement
        assert hashes and all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}\n?", each)
                              for each in hashes), line
    assert "://" not in text
    wanted = [Requirement(line) for line in [*PROJECT["dependencies"], *EXTRAS["chip"],
                                                *EXTRAS["build"]]]
    assert {canonicalize_name(each.name) for each in wanted} <= found.keys()
    for name, requirement in found.items():
        assert name not in pins() or requirement.specifier == pins()[name].specifier, name
