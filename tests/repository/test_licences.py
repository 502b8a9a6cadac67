"""Texts of licences that packages bring are shipped."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path, PurePosixPath

from release.components import Component
from release.licences import texts


def component(folder: Path, files: dict[str, str]) -> Component:
    """A package that is installed with these files."""
    files = {"x-1.dist-info/METADATA": "Name: x\nVersion: 1\n", **files}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    record = folder / "x-1.dist-info" / "RECORD"
    record.write_text("".join(f"{name},,\n" for name in files))
    installed = metadata.Distribution.at(folder / "x-1.dist-info")
    return Component("x", "1", (), "MIT", (), installed)


def test_texts_of_one_name_are_all_kept(tmp_path: Path) -> None:
    """Where a package has several texts of one name, each other text is kept, and equal ones once."""
    part = component(tmp_path, {
        "x-1.dist-info/licenses/LICENSE": "own", "x/LICENSE": "of what x has taken over", "y/LICENSE": "own",
        "z/LICENSE": "of z", "LICENSE": "of all",
    })  # fmt: skip
    found = texts(part)
    assert sorted(found.values()) == [b"of all", b"of what x has taken over", b"of z", b"own"]
    assert len(found) == 4


def test_texts_of_built_in_code(tmp_path: Path) -> None:
    """What a package tells of code that is built into it is kept, whatever its files are called; code is not."""
    part = component(tmp_path, {
        "x-1.dist-info/licenses/LICENSE": "own", "x-1.dist-info/licenses/vendor/zlib/Zlib.txt": "zlib",
        "x-1.dist-info/sboms/x.cdx.json": "{}", "x.libs/COPYING.libz": "z", "x/licenses/model.txt": "no text",
        "x/license.py": "code", "../share/doc/NOTICE": "note",
    })  # fmt: skip
    assert texts(part) == {
        PurePosixPath("LICENSE"): b"own", PurePosixPath("vendor/zlib/Zlib.txt"): b"zlib",
        PurePosixPath("sboms/x.cdx.json"): b"{}", PurePosixPath("COPYING.libz"): b"z",
        PurePosixPath("doc/NOTICE"): b"note",
    }  # fmt: skip
