"""Words of texts: equal in any encoding, and found where they stand."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limaflow.curation.decontamination import Protected, decontaminated
from limaflow.curation.deduplication import deduplicated
from limaflow.curation.protected_text import ProtectedText, ProtectedTexts
from limaflow.curation.settings import Deduplication
from limaflow.curation.wording import plain, word_spans, words
from limaflow.records import Example, Message, example_id

FRENCH = "Le café était déjà fermé quand nous sommes arrivés près de la gare de Besançon hier soir"
GERMAN = "Die Größe der Straße überrascht den Jäger"
CHINESE = "下列关于光合作用的说法中，哪一项是正确的？请从四个选项中选出最符合题意的一项。"
JAPANESE = "次の文章を読んで、ガラスの製造過程について最も適切な説明を一つ選びなさい。"
THAI = "ข้อใดต่อไปนี้อธิบายการสังเคราะห์ด้วยแสงของพืชได้ถูกต้องที่สุดในการทดลองนี้"
KOREAN = "다음 중 식물의 광합성에 대한 설명으로 가장 옳은 것을 고르시오"
HINDI = "प्रकाश संश्लेषण के बारे में कौन सा कथन सही है"
ANYWHERE = [FRENCH, GERMAN, CHINESE, JAPANESE, THAI, KOREAN, HINDI]


def with_soft_hyphens(text: str) -> str:
    return "\u00ad".join(text)


def with_zero_width_spaces(text: str) -> str:
    return "\u200b".join(text)


def composed(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def decomposed(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def wide(text: str) -> str:
    """ASCII in full width, as East Asian keyboards write it."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


DISGUISES = [composed, decomposed, wide, with_soft_hyphens, with_zero_width_spaces, str.upper]


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("text", ANYWHERE)
def test_a_text_has_the_same_words_in_any_encoding(text: str, disguise: object) -> None:
    assert callable(disguise)
    assert words(disguise(text)) == words(text)


@pytest.mark.parametrize("text", ANYWHERE)
def test_a_text_is_found_in_a_turn_in_whatever_encoding_and_quoted(text: str) -> None:
    index = ProtectedTexts([ProtectedText(task="quiz", item_id="1", text=text)], 5)
    hidden = with_zero_width_spaces(decomposed(text))
    [shared] = index.shared(f"So: {hidden} Yes.")
    quoted = f"So: {hidden} Yes."[shared.start : shared.end]
    assert words(quoted) == words(text)


def test_accents_and_half_width_letters_make_no_difference() -> None:
    assert words(FRENCH) == words("le cafe etait deja ferme") + words(FRENCH)[5:]
    assert words("ｶﾞﾗｽ") == words("ガラス")
    assert words("مُحَمَّد") == words("محمد")


def test_signs_that_make_another_letter_stay() -> None:
    assert words("が") != words("か")
    assert words("कि") != words("की")


def test_an_indian_word_is_one_word() -> None:
    assert len(words(HINDI)) == len(HINDI.split())


@pytest.mark.parametrize("text", [CHINESE, JAPANESE, THAI])
def test_each_character_of_an_unspaced_script_is_a_word(text: str) -> None:
    letters = [c for c in text if c.isalnum()]
    assert len(words(text)) >= len(letters)


def test_a_run_of_unspaced_text_has_two_characters_for_a_word() -> None:
    index = ProtectedTexts([ProtectedText(task="quiz", item_id="1", text=CHINESE)], 6)
    run = "".join(words(CHINESE))
    assert index.shared(f"我们问：{run[3:15]}好吗")
    assert not index.shared(f"我们问：{run[3:14]}好吗")


def test_a_short_chinese_prompt_must_be_the_whole_turn() -> None:
    index = ProtectedTexts([ProtectedText(task="test", item_id="1", text="什么是爱？")], 13)
    assert index.shared("什么是爱")
    assert not index.shared("他问她什么是爱，她没有回答。")


def test_a_prompt_with_characters_that_nobody_sees_is_the_same_prompt() -> None:
    assert plain("What is\u200b ma\u00adlt?") == plain("What is malt")
    assert plain("re\u0301sume\u0301") == plain("résumé") != plain("resume")


def conversation(*texts: str) -> Example:
    turns = tuple(
        Message(role="assistant" if n % 2 else "user", content=text) for n, text in enumerate(texts)
    )
    return Example(id=example_id(turns), messages=turns, source="s", split="train")


def test_texts_without_words_are_duplicates_only_where_they_are_equal() -> None:
    settings = Deduplication(jaccard=0.8, shingle_words=5, permutations=128)
    pool = [conversation("🙂", "🙃"), conversation("+", "-"), conversation("?!", "...")]
    assert len(deduplicated(pool, settings)[0]) == 3


def test_near_duplicates_are_found_in_chinese_and_across_encodings() -> None:
    settings = Deduplication(jaccard=0.8, shingle_words=5, permutations=128)
    first, second = conversation("一", CHINESE * 3), conversation("二", CHINESE * 3 + "好")
    third, fourth = conversation("x", FRENCH), conversation("y", decomposed(FRENCH))
    kept, dropped = deduplicated([first, second, third, fourth], settings)
    assert len(kept) == 2
    assert {drop.rule for drop in dropped} == {"near_duplicate"}


def test_a_dialogue_that_ends_with_the_user_leaves_the_pool() -> None:
    whole, cut = conversation("a b", "c d"), conversation("e f", "g h", "i j")
    kept, [drop], _ = decontaminated([whole, cut], Protected([], [], 13))
    assert kept == [whole]
    assert (drop.id, drop.rule) == (cut.id, "no_response")


@given(st.text(), st.text())
def test_words_and_their_places_go_together(text: str, other: str) -> None:
    for word, (start, end) in zip(words(text), word_spans(text), strict=True):
        assert word in "".join(words(text[start:end]))
    assert words(f"{text} {other}") == words(text) + words(other)


SOME = st.lists(st.sampled_from("ae\u0301\u0323\u00ad\u200bｶﾞか\u3099ก\u0e33한ᄒ\u1161\u11ab½ "))


@given(st.one_of(st.text(), SOME.map("".join)))
def test_places_are_told_for_every_word(text: str) -> None:
    assert len(word_spans(text)) == len(words(text))
