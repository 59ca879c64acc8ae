"""What uv is asked, and what README promises."""

import subprocess

from tools import ROOT, platforms


def test_a_platform_without_its_wheels_is_named(monkeypatch, capsys):
    asked = []

    def run(command, **options):
        asked.append(command)
        lost = "aarch64-manylinux_2_28" in command
        return subprocess.CompletedProcess(command, int(lost), "", "no wheel of x" if lost else "")

    monkeypatch.setattr(platforms.subprocess, "run", run)
    assert platforms.main() == len(platforms.VERSIONS)
    said = capsys.readouterr().out
    assert "Linux ARM, Python 3.11: no wheel of x\n" in said
    assert "Windows x86-64, Python 3.14: all wheels are there\n" in said
    assert len(asked) == len(platforms.PLATFORMS) * len(platforms.VERSIONS)


def test_readme_names_the_same_platforms():
    text = (ROOT / "README.md").read_text("utf-8")
    works = next(line for line in text.splitlines() if line.startswith("| Linux x86-64"))
    assert all(word in works for name in platforms.PLATFORMS for word in name.split()[:1])
    assert f"macOS {platforms.MACOS.split('.')[0]} or newer" in works
