"""Stack Exchange dumps: which answer is taken, and what is refused."""

from collections import Counter
from pathlib import Path

import py7zr
import pytest
from lxml import etree

from limaflow.errors import InputError
from limaflow.records import Candidate
from limaflow.sources.candidates import Shard
from limaflow.sources.stackexchange import read

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
    shard = Shard(source="se", name="beer", files=(path,), scratch=path.parent, licence=licence)
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
    shard = Shard(source="se", name="beer", files=(dump,), scratch=tmp_path, licence="CC BY-SA")
    passed_over: Counter[str] = Counter()
    read_back = list(read(shard, passed_over))
    assert len(read_back) == sum(row["PostTypeId"] == "1" for row in rows) == 663
    assert {c.provenance.ids[0]: c.response_score for c in read_back if c.response} == best
    assert passed_over == {"post of type 4": 58, "post of type 5": 58, "post of type 7": 3}
    assert {c.provenance.licence for c in read_back} == {"CC BY-SA"}
