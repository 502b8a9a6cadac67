"""Libraries that the Debian package needs: what nobody is known to have ends the build."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from release.shared_libraries import UnknownLibrary, needed, packages


def compiled(target: Path, *words: str) -> Path:
    """Compile an empty library, linked as the words say."""
    command = ["gcc", "-shared", "-x", "c", "/dev/null", "-x", "none", "-Wl,--no-as-needed", *words, "-o", str(target)]
    subprocess.run(command, check=True)
    return target


def test_packages(tmp_path: Path) -> None:
    """Each library leads to its package, named once; a library that lies in the tree itself is not asked for."""
    brought = compiled(tmp_path / "libbrought.so.1", "-Wl,-soname,libbrought.so.1")
    compiled(tmp_path / "module.so", str(brought), "-lgcc_s", "-lm")
    (tmp_path / "wfx.socket").write_text("[Socket]\n")
    assert packages(tmp_path) == ["libc6 (>= 2.31)", "libgcc-s1"]


def test_unknown_library(tmp_path: Path) -> None:
    """A library of which it is not known what package has it is named, with the file that needs it."""
    other = tmp_path / "elsewhere"
    other.mkdir()
    strange = compiled(other / "libstrange.so.1", "-Wl,-soname,libstrange.so.1")
    tree = tmp_path / "tree"
    tree.mkdir()
    compiled(tree / "module.so", str(strange))
    with pytest.raises(UnknownLibrary, match=r"libstrange\.so\.1 \(for module\.so\)"):
        packages(tree)


def test_readelf_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the program that reads compiled files the build ends, and says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="install binutils"):
        needed([tmp_path / "module.so"])
