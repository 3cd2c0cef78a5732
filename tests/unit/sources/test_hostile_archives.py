"""Archives made to hurt: each is one clear error, and nothing is written beside the scratch."""

import os
import random
import subprocess
import sys
from pathlib import Path

import py7zr
import pytest
import zstandard

from limaflow.errors import InputError
from limaflow.sources.archives import lines_of_zst, members_of_7z

POSTS = b"<posts>" + b"".join(b"<row Id='%d'/>" % n for n in range(5000)) + b"</posts>"


def unpacked(archive: Path, scratch: Path) -> bytes:
    with members_of_7z(archive, ["Posts.xml", "Users.xml"], scratch) as members:
        return members["Posts.xml"].read_bytes()


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "deep" / "scratch"
    folder.mkdir(parents=True)
    return folder


def packed(archive: Path, **members: bytes) -> Path:
    with py7zr.SevenZipFile(archive, "w") as opened:
        for name, content in members.items():
            opened.writestr(content, name)
    return archive


@pytest.mark.parametrize("name", ["../Posts.xml", "../../evil", "/evil", "a/../../evil"])
def test_a_member_that_points_outside_is_never_written(
    tmp_path: Path, scratch: Path, name: str
) -> None:
    archive = tmp_path / "x.7z"
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.set_encoded_header_mode(False)
        opened.writestr(b"evil", "x" * len(name))
        opened.writestr(POSTS, "Posts.xml")
    raw, told = archive.read_bytes(), ("x" * len(name)).encode("utf-16-le")
    assert told in raw
    archive.write_bytes(with_sums(raw.replace(told, name.encode("utf-16-le"))))
    with py7zr.SevenZipFile(archive) as opened:
        assert name in opened.getnames()
    before = sorted(path for path in tmp_path.rglob("*"))
    try:
        assert unpacked(archive, scratch) == POSTS
    except InputError as error:
        assert str(archive) in str(error)
    assert sorted(path for path in tmp_path.rglob("*")) == before
    assert not Path("/evil").exists()


def with_sums(archive: bytes) -> bytes:
    """The archive with the checksums of its changed header put right (7zFormat.txt)."""
    from zlib import crc32

    start = int.from_bytes(archive[12:20], "little")
    size = int.from_bytes(archive[20:28], "little")
    header = archive[32 + start : 32 + start + size]
    told = archive[12:28] + crc32(header).to_bytes(4, "little")
    return archive[:8] + crc32(told).to_bytes(4, "little") + told + archive[32:]


def test_a_link_in_place_of_the_member_is_refused(tmp_path: Path, scratch: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (tmp_path / "Posts.xml").symlink_to(secret)
    archive = tmp_path / "x.7z"
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.write(tmp_path / "Posts.xml", "Posts.xml")
    with pytest.raises(InputError, match=r"x\.7z: "):
        unpacked(archive, scratch)
    assert not list(scratch.iterdir())


def test_an_encrypted_archive_and_one_of_a_folder_are_refused(
    tmp_path: Path, scratch: Path
) -> None:
    archive = tmp_path / "x.7z"
    with py7zr.SevenZipFile(archive, "w", password="p") as opened:
        opened.writestr(POSTS, "Posts.xml")
    with pytest.raises(InputError, match="encrypted"):
        unpacked(archive, scratch)
    (tmp_path / "Posts.xml").mkdir()
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.write(tmp_path / "Posts.xml", "Posts.xml")
    with pytest.raises(InputError, match="no single file"):
        unpacked(archive, scratch)


def test_wherever_an_archive_is_cut_or_damaged_it_is_an_error(
    tmp_path: Path, scratch: Path
) -> None:
    content = os.urandom(20_000)
    whole = packed(tmp_path / "whole.7z", **{"Posts.xml": content}).read_bytes()
    archive, draw = tmp_path / "x.7z", random.Random(1)
    for cut in [0, 1, 31, 32, 33, *draw.sample(range(len(whole)), 20), len(whole) - 1]:
        archive.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"x\.7z: "):
            unpacked(archive, scratch)
    for at in draw.sample(range(len(whole)), 30):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        archive.write_bytes(damaged)
        try:
            assert unpacked(archive, scratch) == content
        except InputError as error:
            assert "x.7z: " in str(error)
    assert not list(scratch.iterdir())


def test_wherever_a_zst_is_cut_it_is_an_error(tmp_path: Path) -> None:
    whole = zstandard.ZstdCompressor().compress(os.urandom(5000) + b"\n")
    path = tmp_path / "RS.zst"
    for cut in [0, 1, 4, 5, 2500, len(whole) - 1]:
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"RS\.zst: .*"):
            list(lines_of_zst(path))


def test_a_line_without_an_end_is_refused_before_memory_is(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zst"
    with zstandard.open(path, "wb") as file:
        for _ in range(200):
            file.write(bytes(2**20))
    program = (
        "import resource, sys; from pathlib import Path;"
        "from limaflow.sources.archives import lines_of_zst;"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30));"
        "list(lines_of_zst(Path(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=False
    )
    assert "line of over" in done.stderr


def test_a_full_disk_is_one_line_and_leaves_nothing(shared_data: Path, tmp_path: Path) -> None:
    dump = shared_data / "stackexchange/beer/Posts.xml"
    command = [sys.executable, "-c", "from limaflow.cli import main; main()", "source", "extract"]
    command += ["--kind", "stackexchange", "--source", "s", "--shard", "beer", str(dump)]
    command += ["--output", str(tmp_path / "beer.jsonl")]
    for kib in (50, 1000):
        small = ["bash", "-c", f'ulimit -f {kib}; exec "$@"', "bash", *command]
        done = subprocess.run(small, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert not list(tmp_path.iterdir())
