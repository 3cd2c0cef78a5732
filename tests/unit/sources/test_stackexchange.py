"""Stack Exchange dumps: which answer is taken, and what is refused."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import py7zr
import pytest
from lxml import etree

from limaflow.errors import InputError
from limaflow.records import Candidate
from limaflow.sources import pairing
from limaflow.sources.extraction import extract
from limaflow.sources.kinds.stackexchange import read
from limaflow.sources.shard import BEST, OTHER, ReadingOptions, Shard

QUESTION = (
    '<row Id="1" PostTypeId="1" Score="7" Title="Why?" Body="&lt;p&gt;B&lt;/p&gt;" OwnerUserId="9" '
)


def posts(folder: Path, *rows: str, head: str = "") -> Path:
    path = folder / "Posts.xml"
    path.write_text(f"<?xml version='1.0'?>\n{head}<posts>\n" + "\n".join(rows) + "\n</posts>\n")
    return path


def answer(key: int, score: int, parent: int = 1, body: str = "") -> str:
    text = body or f"answer {key}"
    return f'<row Id="{key}" PostTypeId="2" ParentId="{parent}" Score="{score}" Body="{text}" />'


def candidates(path: Path, licence: str = "") -> list[Candidate]:
    shard = Shard(
        kind="stackexchange",
        source="se",
        name="beer",
        files=(path,),
        scratch=path.parent,
        options=ReadingOptions(licence=licence),
    )
    return list(read(shard, Counter()))


def test_the_top_answer_is_the_one_with_the_highest_score(tmp_path: Path) -> None:
    path = posts(tmp_path, QUESTION + "/>", answer(2, 3), answer(3, 5), answer(4, -1))
    [candidate] = candidates(path)
    assert candidate.response == "answer 3"
    assert candidate.response_score == 5
    assert candidate.prompt_score == 7


def test_of_equal_scores_the_accepted_answer_wins_then_the_oldest(tmp_path: Path) -> None:
    accepted = posts(
        tmp_path, QUESTION + 'AcceptedAnswerId="10"/>', answer(9, 3), answer(10, 3), answer(11, 3)
    )
    assert candidates(accepted)[0].response == "answer 10"
    oldest = posts(tmp_path, QUESTION + "/>", answer(10, 3), answer(9, 3))
    assert candidates(oldest)[0].response == "answer 9"


def test_an_answer_may_stand_before_its_question(tmp_path: Path) -> None:
    path = posts(tmp_path, answer(2, 3), QUESTION + "/>")
    assert candidates(path)[0].response == "answer 2"


def test_a_question_without_an_answer_is_a_candidate_without_a_response(tmp_path: Path) -> None:
    [candidate] = candidates(posts(tmp_path, QUESTION + "/>"))
    assert candidate.response == ""
    assert candidate.response_score is None


def test_attribution_names_posts_addresses_authors_and_licence(tmp_path: Path) -> None:
    rows = (
        QUESTION + 'ContentLicense="CC BY-SA 3.0"/>',
        answer(2, 3).replace("<row ", '<row OwnerDisplayName="Ann" ContentLicense="CC BY-SA 4.0" '),
    )
    provenance = candidates(posts(tmp_path, *rows))[0].provenance
    assert provenance.ids == ("1", "2")
    assert provenance.urls == (
        "https://beer.stackexchange.com/q/1",
        "https://beer.stackexchange.com/a/2",
    )
    assert provenance.authors == ("user 9", "Ann")
    assert provenance.licence == "CC BY-SA 3.0, CC BY-SA 4.0"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('<row PostTypeId="1" Score="1" Title="t" Body="b"/>', r"Posts\.xml:3: .*no Id"),
        ('<row Id="1" PostTypeId="1" Score="x" Title="t" Body="b"/>', "Score is 'x'"),
        ('<row Id="1" PostTypeId="1" Score="1" Body="b"/>', "post 1: no Title"),
        ('<row Id="1" PostTypeId="2" Score="1" Body="b"/>', "no ParentId"),
        ('<row Id="1" Score="1"/>', "no PostTypeId"),
        (f"{QUESTION}/>\n{QUESTION}/>", "stands twice"),
        ('<row Id="1" PostTypeId="1"', "not sound XML"),
        ('<row Id="99999999999999999999" PostTypeId="1" Score="1" Title="" Body=""/>', "Id is"),
    ],
)
def test_a_malformed_row_is_named_with_file_and_line(
    tmp_path: Path, row: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        candidates(posts(tmp_path, row))


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE posts [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE posts [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE posts SYSTEM "http://localhost:9/evil.dtd">',
    ],
)
def test_entities_and_outside_declarations_are_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(InputError, match="declares a DTD"):
        candidates(posts(tmp_path, QUESTION + "/>", head=head))


@pytest.mark.parametrize(
    "before",
    [
        "<!-- from archive.org -->",
        "<?xml-stylesheet type='text/css' href='posts.css'?>",
        "<!-- a --><?b c?><!-- d -->",
    ],
)
def test_what_stands_before_the_posts_is_passed_by(tmp_path: Path, before: str) -> None:
    path = posts(tmp_path, QUESTION + "/>", "<!-- between -->", answer(2, 3), head=before)
    assert candidates(path)[0].response == "answer 2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<html><body>404 Not Found</body></html>", "its root is <html>, not <posts>"),
        (
            '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>',
            r"root is <html>.*fetch it again",
        ),
        ('<comments>\n  <row Id="1" />\n</comments>', r"<comments>.*give the dump's Posts.xml"),
        ("<posts></posts>", "has not a single row"),
        ("", "not sound XML"),
    ],
)
def test_another_document_is_not_taken_for_an_empty_dump(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "Posts.xml"
    path.write_text(text)
    shard = Shard(
        kind="stackexchange",
        source="se",
        name="beer",
        files=(path,),
        scratch=tmp_path,
        options=ReadingOptions(),
    )
    with pytest.raises(InputError, match=message):
        extract(shard, tmp_path / "out.jsonl", Counter(), processes=2)


USERS = """<?xml version="1.0" encoding="utf-8"?>
<users>
  <row Id="-1" Reputation="1" DisplayName="Community" />
  <row Id="9" Reputation="1" DisplayName="Zoë &amp; Co" />
  <row Id="10" Reputation="1" />
</users>
"""


def authors_of(folder: Path, *files: Path) -> list[tuple[str, ...]]:
    shard = Shard(
        kind="stackexchange",
        source="se",
        name="beer",
        files=files,
        scratch=folder,
        options=ReadingOptions(),
    )
    extract(shard, folder / "out.jsonl", Counter(), processes=2)
    lines = (folder / "out.jsonl").read_text().splitlines()
    return [tuple(json.loads(line)["provenance"]["authors"]) for line in lines]


def test_authors_have_their_names_where_the_dump_has_its_users(tmp_path: Path) -> None:
    by = '<row Id="{}" PostTypeId="2" ParentId="1" Score="1" Body="b" {}/>'
    path = posts(tmp_path, QUESTION + "/>", by.format(2, 'OwnerUserId="-1" '))
    (tmp_path / "Users.xml").write_text(USERS)
    assert authors_of(tmp_path, path) == [("user 9", "user -1")]
    assert authors_of(tmp_path, tmp_path / "Users.xml", path) == [("Zoë & Co", "Community")]
    archive = tmp_path / "beer.7z"
    with py7zr.SevenZipFile(archive, "w") as opened:
        for name in ("Comments.xml", "Posts.xml", "Users.xml"):
            opened.writestr((tmp_path / name).read_bytes() if name != "Comments.xml" else b"", name)
    assert authors_of(tmp_path, archive) == [("Zoë & Co", "Community")]
    unnamed = posts(tmp_path, QUESTION + "/>", by.format(2, 'OwnerUserId="10" '))
    assert authors_of(tmp_path, unnamed, tmp_path / "Users.xml") == [("Zoë & Co", "user 10")]


def test_users_without_posts_are_named(tmp_path: Path) -> None:
    (tmp_path / "Users.xml").write_text(USERS)
    with pytest.raises(InputError, match=r"Users\.xml: no Posts\.xml beside it"):
        authors_of(tmp_path, tmp_path / "Users.xml")


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_bytes(b'<posts><row Id="1" PostTypeId="1" Score="1" Title="\xff" Body=""/></posts>')
    with pytest.raises(InputError, match="not sound XML"):
        candidates(path)


def test_a_7z_archive_gives_what_its_posts_give(tmp_path: Path) -> None:
    path = posts(tmp_path, QUESTION + "/>", answer(2, 3))
    archive = tmp_path / "beer.stackexchange.com.7z"
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.write(path, "Posts.xml")
        opened.writestr(b"<users/>", "Users.xml")
    assert candidates(archive) == candidates(path)
    assert not list(tmp_path.glob(".unpacked*"))


def test_an_archive_without_posts_or_cut_short_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "beer.7z"
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.writestr(b"<posts/>", "elsewhere/Posts.xml")
    with pytest.raises(InputError, match=r"no single file Posts\.xml"):
        candidates(archive)
    with py7zr.SevenZipFile(archive, "w") as opened:
        opened.write(posts(tmp_path, *(answer(n, n) for n in range(2000))), "Posts.xml")
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(InputError, match="7z"):
        candidates(archive)
    assert not list(tmp_path.glob(".unpacked*"))


def test_the_real_dump_gives_a_candidate_a_question_with_an_independent_count(
    shared_data: Path, tmp_path: Path
) -> None:
    dump = shared_data / "stackexchange/beer/Posts.xml"
    rows = [dict(row.attrib) for row in etree.parse(str(dump)).getroot()]
    best: dict[str, int] = {}
    for row in rows:
        if row["PostTypeId"] == "2":
            best[row["ParentId"]] = max(int(row["Score"]), best.get(row["ParentId"], -(10**6)))
    shard = Shard(
        kind="stackexchange",
        source="se",
        name="beer",
        files=(dump,),
        scratch=tmp_path,
        options=ReadingOptions(licence="CC BY-SA"),
    )
    passed_over: Counter[str] = Counter()
    read_back = list(read(shard, passed_over))
    assert len(read_back) == sum(row["PostTypeId"] == "1" for row in rows) == 663
    assert {c.provenance.ids[0]: c.response_score for c in read_back if c.response} == best
    answers = sum(row["PostTypeId"] == "2" for row in rows)
    assert passed_over == {
        "post of type 4": 58,
        "post of type 5": 58,
        "post of type 7": 3,
        BEST: len(best),
        OTHER: answers - len(best),
    }
    assert len(read_back) + passed_over.total() == len(rows)
    assert {c.provenance.licence for c in read_back} == {"CC BY-SA 3.0"}


def written(path: Path, processes: int) -> tuple[bytes, Counter[str]]:
    passed_over: Counter[str] = Counter()
    shard = Shard(
        kind="stackexchange",
        source="se",
        name="beer",
        files=(path,),
        scratch=path.parent,
        options=ReadingOptions(),
    )
    output = path.parent / f"{processes}.jsonl"
    count = extract(shard, output, passed_over, processes)
    assert count == output.read_bytes().count(b"\n")
    return output.read_bytes(), passed_over


def test_any_number_of_processes_writes_the_same_bytes(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.symlink_to(shared_data / "stackexchange/beer/Posts.xml")
    one = written(path, 1)
    assert written(path, 2) == one
    assert written(path, 5) == one
    assert [c.id for c in candidates(path)] == [
        json.loads(line)["id"] for line in one[0].splitlines()
    ]
    assert not list(tmp_path.glob(".posts*"))


def test_an_answer_far_from_its_question_meets_it_across_the_parts(tmp_path: Path) -> None:
    rows = [answer(5000 + n, n, parent=2000 - n) for n in range(1000)]
    rows += [QUESTION.replace('row Id="1"', f'row Id="{2000 - n}"') + "/>" for n in range(1000)]
    path = posts(tmp_path, *rows)
    assert written(path, 3) == written(path, 1)
    assert len(candidates(path)) == 1000
    assert all(c.response == f"answer {5000 + (c.response_score or 0)}" for c in candidates(path))


@pytest.mark.parametrize(
    "text",
    [
        "<posts>\n<!--\n{q}\n-->\n{a}\n{q}\n</posts>",
        "<posts>{a}{q}</posts>",
        "<?xml version='1.0' encoding='utf-16'?><posts>\n{a}\n{q}\n</posts>",
        "<posts>\n{a}\n<row\nId='1' PostTypeId='1'\nScore='7' Title='t' Body='b'></row></posts>",
        "<posts>\n<tag>{a}\n</tag>\n{q}\n</posts>\n<!-- end -->\n",
    ],
)
def test_an_unusual_layout_gives_the_same_with_several_processes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "Posts.xml"
    encoding = "utf-16" if "utf-16" in text else "utf-8"
    path.write_text(text.format(a=answer(2, 3), q=QUESTION + "/>"), encoding=encoding)
    assert written(path, 3) == written(path, 1)
    [candidate] = candidates(path)
    assert candidate.response == "answer 2"


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('<row Id="9" PostTypeId="1" Score="1" Body="b"/>', r"Posts\.xml:303: post 9: no Title"),
        ('<row Id="9" PostTypeId="1" Score="1" Title="t"/>', r"Posts\.xml:303: post 9: no Body"),
        (QUESTION + "/>\n" + QUESTION + "/>", r"Posts\.xml:304: post 1: .*stands twice"),
        ('<row Id="9" PostTypeId="1', r"Posts\.xml:30[34]: not sound XML"),
        ("</posts><posts>", r"Posts\.xml:303: not sound XML"),
        ('<row Id="9" PostTypeId="1" Title="&bomb;"/>', "not sound XML"),
    ],
)
def test_a_fault_deep_in_the_file_is_named_alike_and_leaves_nothing(
    tmp_path: Path, row: str, message: str, processes: int
) -> None:
    path = posts(tmp_path, *(answer(n, 0) for n in range(10, 310)), row)
    with pytest.raises(InputError, match=message):
        written(path, processes)
    assert [file.name for file in tmp_path.iterdir()] == ["Posts.xml"]


def test_a_question_that_stands_twice_in_different_parts_is_refused(tmp_path: Path) -> None:
    rows = [answer(n, 0) for n in range(10, 310)]
    path = posts(tmp_path, QUESTION + "/>", *rows, QUESTION + "/>")
    for processes in (1, 2):
        with pytest.raises(InputError, match="post 1: a question of this Id stands twice"):
            written(path, processes)


def test_a_window_that_goes_to_disk_changes_nothing(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "Posts.xml"
    path.symlink_to(shared_data / "stackexchange/beer/Posts.xml")
    whole = written(path, 1)
    monkeypatch.setattr(pairing, "WINDOW_CHARS", 20_000)
    assert written(path, 1) == whole


def test_negative_scores_are_scores(tmp_path: Path) -> None:
    path = posts(tmp_path, QUESTION.replace('"7"', '"-7"') + "/>", answer(2, -5), answer(3, -4))
    [candidate] = candidates(path)
    assert (candidate.prompt_score, candidate.response_score) == (-7, -4)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(shared_data: Path, tmp_path: Path) -> None:
    rows = (shared_data / "stackexchange/beer/Posts.xml").read_text("utf-8-sig").splitlines()[2:-1]
    id_in = re.compile(r'\b((?:Parent|AcceptedAnswer)?Id)="(\d+)"')
    peaks = []
    for copies in (4, 24):
        path = tmp_path / f"{copies}.xml"
        with path.open("w", encoding="utf-8") as file:
            file.write("<posts>\n")
            for copy in range(copies):
                file.writelines(
                    id_in.sub(lambda m, c=copy: f'{m[1]}="{int(m[2]) + c * 10**6}"', row) + "\n"
                    for row in rows
                )
            file.write("</posts>\n")
        program = (
            "import resource, sys; from pathlib import Path; from collections import Counter;"
            "from limaflow.sources import pairing;"
            "from limaflow.sources.shard import ReadingOptions, Shard;"
            "from limaflow.sources.extraction import extract;"
            "pairing.WINDOW_CHARS = 2**20; pairing.CACHE_KIB = 1024; path = Path(sys.argv[1]);"
            "shard = Shard(kind='stackexchange', source='s', name='s', files=(path,),"
            "scratch=path.parent, options=ReadingOptions());"
            "extract(shard, path.with_suffix('.jsonl'), Counter());"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, path], check=True, capture_output=True, text=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 8 * 1024
