"""Each package that the course installs tells its license, and proprietary ones are named."""

from importlib.metadata import distribution

import pytest

from tools import licenses


def test_what_is_needed_and_what_that_needs():
    found = licenses.needed()
    assert {"torch", "numpy", "mlxtend", "jupyterlab", "markupsafe"} <= found.keys()
    assert "playwright" not in found and "playwright" in licenses.needed("test")


def test_every_license_is_told(capsys):
    assert licenses.main("test") == 0
    said = capsys.readouterr().out
    assert f"| numpy | {distribution('numpy').version} | BSD-3-Clause" in said
    assert "| onnxruntime | " in said and "| mnist_compress" not in said
    cuda = [line for line in said.splitlines() if line.startswith("| nvidia-c")]
    assert all("proprietary" in line.lower() for line in cuda)
    apart, = (line for line in said.splitlines() if line.startswith("Proprietary: "))
    assert all(line.split(" ")[1] in apart for line in cuda)
    assert ("NVIDIA's CUDA libraries" in said) == bool(cuda)


@pytest.mark.parametrize(("lines", "told"), [
    ("License-Expression: MIT\nLicense: something else", "MIT"),
    ("Classifier: License :: OSI Approved\nClassifier: License :: OSI Approved :: BSD License",
     "BSD License"),
    ("License: Apache 2.0\nClassifier: Typing :: Typed", "Apache 2.0"),
    ("License: UNKNOWN", ""),
    ("Summary: none", ""),
])
def test_where_a_license_stands(tmp_path, lines, told):
    folder = tmp_path / "some-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: some\nVersion: 1\n{lines}\n")
    assert licenses.license_of(licenses.Distribution.at(folder)) == told
