"""File tree of the Debian package: a private environment under /usr/lib/wfx, the programs, and what belongs to them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from release import licences, sbom
from release.components import ROOT, Component, NotAsLocked, project
from release.console_parts import FOLDER, LICENSE_TEXTS, console_parts
from release.engine_part import LICENSE_TEXT, engine_part

HOME = "usr/lib/wfx"
PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
_PACKAGES = f"{HOME}/lib/{PYTHON}/site-packages"
_PROGRAM = """\
#!/{home}/bin/python -I
import sys

from {module} import {function}

sys.exit({function}())
"""
_SHARED = {
    "systemd/wfx.service": "lib/systemd/system/wfx.service",
    "systemd/wfx@.service": "lib/systemd/system/wfx@.service",
    "systemd/wfx@.socket": "lib/systemd/system/wfx@.socket",
    "systemd/wfx-scripts.conf": "usr/share/doc/wfx/systemd/wfx-scripts.conf",
    "sysusers.d/wfx.conf": "usr/lib/sysusers.d/wfx.conf",
    "tmpfiles.d/wfx.conf": "usr/lib/tmpfiles.d/wfx.conf",
    "wfx.yml": "etc/wfx/wfx.yml",
}
_COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/{}",
    "zsh": "usr/share/zsh/vendor-completions/_{}",
    "fish": "usr/share/fish/vendor_completions.d/{}.fish",
}
_DOC = "usr/share/doc/wfx"
_LICENCES = f"{_DOC}/licenses"
_USUAL_FIRST_LINE = b"#!/usr/bin/env python3\n"


def make(tree: Path, parts: list[Component], work: Path) -> None:
    """Fill an empty directory with everything that the package installs."""
    _environment(tree)
    for part in parts:
        _copy_distribution(part, tree / _PACKAGES)
    _unpack_wheel(work, tree / _PACKAGES)
    for name, target in _SHARED.items():
        _write(tree / target, (ROOT / "share" / name).read_bytes())
    for program, called in project()["scripts"].items():
        _program(tree, program, called)
    _documents(tree, parts)


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def compressed(content: bytes) -> bytes:
    """Compress with gzip, the same way each time."""
    return gzip.compress(content, 9, mtime=0)


def _environment(tree: Path) -> None:
    """Make what makes a directory an environment of its own for Debian's interpreter."""
    _write(tree / HOME / "pyvenv.cfg", b"home = /usr/bin\ninclude-system-site-packages = false\n")
    (tree / HOME / "bin").mkdir()
    (tree / HOME / "bin" / "python").symlink_to(f"/usr/bin/{PYTHON}")


def _copy_distribution(part: Component, target: Path) -> None:
    """Copy the files of a package, each as its hash says that it was installed; its programs are left out."""
    for file in part.installed.files or ():
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        content = Path(str(file.locate())).read_bytes()
        if file.hash is not None and not _is(content, file.hash.mode, file.hash.value):
            raise NotAsLocked(f"{file} of {part.name} was changed after it was installed")
        if file.name not in ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json"):
            _write(target / file, content)


def _is(content: bytes, kind: str, value: str) -> bool:
    return base64.urlsafe_b64encode(hashlib.new(kind, content).digest()).rstrip(b"=") == value.encode()


def _unpack_wheel(work: Path, target: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(work)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - our own build
    (wheel,) = work.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    wheel.unlink()


def _program(tree: Path, program: str, called: str) -> None:
    """Write a program, its completions and its manual pages, which it prints by itself."""
    module, _, function = called.partition(":")
    script = _PROGRAM.format(home=HOME, module=module, function=function)
    _write(tree / HOME / "bin" / program, script.encode(), 0o755)
    link = tree / "usr/bin" / program
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(f"../lib/wfx/bin/{program}")
    run = _runner(module, function, program)
    for shell, target in _COMPLETIONS.items():
        _write(tree / target.format(program), run("completion", shell))
    pages = tree / "usr/share/man/man1"
    run("man", "--dir", str(pages))
    for page in pages.glob("*.1"):
        _write(page.with_name(f"{page.name}.gz"), compressed(page.read_bytes()))
        page.unlink()


def _runner(module: str, function: str, program: str) -> Callable[..., bytes]:
    start = f"import sys; sys.argv[0] = {program!r}; from {module} import {function} as run; sys.exit(run())"

    def run(*arguments: str) -> bytes:
        return subprocess.run([sys.executable, "-c", start, *arguments], check=True, capture_output=True).stdout  # noqa: S603 - our own programs

    return run


def _documents(tree: Path, parts: list[Component]) -> None:
    doc = tree / _DOC
    _write(doc / "copyright", _copyright(parts).encode())
    _write(doc / "changelog.gz", compressed((ROOT / "CHANGELOG.md").read_bytes()))
    for guide in sorted(file for file in (ROOT / "docs").iterdir() if file.is_file()):
        _write(doc / "docs" / guide.name, guide.read_bytes())
    _write(doc / "SECURITY.md", (ROOT / "SECURITY.md").read_bytes())
    _write(doc / "sbom.cdx.json.gz", compressed(sbom.text("cyclonedx").encode()))
    _write(doc / "sbom.spdx.json.gz", compressed(sbom.text("spdx").encode()))
    shutil.copytree(ROOT / "spec" / "workflows", doc / "workflows")
    shutil.copytree(ROOT / "plugins" / "examples", doc / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    for example in (doc / "examples").rglob("*.py"):
        _run_by_own_python(example)
    for part in parts:
        for place, text in licences.texts(part).items():
            _write(tree / _LICENCES / part.name / place, text)
    _write(tree / _LICENCES / engine_part().name / "LICENSE.txt", LICENSE_TEXT.read_bytes())
    _write(tree / _LICENCES / "console" / "LICENSE.txt", LICENSE_TEXTS.read_bytes())
    _write(tree / _LICENCES / "wfx" / "LICENSE", (ROOT / "LICENSE").read_bytes())


def _run_by_own_python(program: Path) -> None:
    """Have a program run by the package's interpreter: the only one that finds wfx_plugin."""
    content = program.read_bytes()
    if content.startswith(_USUAL_FIRST_LINE):
        first = f"#!/{HOME}/bin/python\n".encode()
        program.write_bytes(first + content.removeprefix(_USUAL_FIRST_LINE))


def _copyright(parts: list[Component]) -> str:
    """Say whose each part is, and where the texts of the licences are."""
    own, engine = project(), engine_part()
    console = sorted({part.license for part in console_parts()})
    stanzas = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: wfx",
        f"Files: *\nCopyright: the authors of wfx\nLicense: {own['license']}",
        *(
            f"Files: {_PACKAGES}/{part.name.replace('-', '?')}*\n"
            f"Copyright: the authors of {part.name}, as its own files say\nLicense: {licences.short_name(part.license)}"
            for part in parts
        ),
        (
            f"Files: {_PACKAGES}/{engine.file}\nCopyright: the authors of {engine.name}, and of what is built into it\n"
            f"License: {licences.short_name(engine.license)}"
        ),
        (
            f"Files: {_PACKAGES}/{FOLDER}/*\n"
            f"Copyright: the authors of {', '.join(part.name for part in console_parts())}, and of wfx\n"
            f"License: {licences.short_name(' AND '.join(console))}"
        ),
        *licences.stanzas([own["license"], engine.license, *console, *(part.license for part in parts)], _LICENCES),
    ]
    return "\n\n".join(stanzas) + "\n"
