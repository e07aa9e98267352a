"""Words of texts in any script, and what rests on them."""

import random
import re

import pandas as pd
import pytest

from paracosm.eval.measuring.context import Context
from paracosm.eval.privacy.copies.distance_ratio import RealRecords
from paracosm.eval.privacy.ngram_overlap import _repeating, _Runs
from paracosm.generate.constraints.copy_filter import CopyFilter
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.assembly import assemble
from paracosm.records.codec.field_codes import describe_value
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.sources.read_source import from_object
from paracosm.records.splitting.near_duplicates import near_duplicates, shingles
from paracosm.records.text.words import count_words, joined, pieces, verbatim_words, words

ENGLISH = [
    "The patient reports headache for three days; BP 128/82, no fever. Don't re-admit him_now!",
    "Größe geändert, straße 12 — naïve café. Ünïcode 42 mg",
    "",
    "  several \n lines\tand blanks ",
]
CHINESE = [
    "患者主诉头痛三天",
    "无发热无咳嗽",
    "血压一百二十八毫米汞柱",
    "心率每分钟七十二次",
    "建议两周后复查",
    "注意休息多饮水",
    "既往有高血压病史",
    "对青霉素过敏",
    "腹部柔软无压痛",
    "双肺呼吸音清晰",
]
JAPANESE = (
    "患者は三日前から頭痛を訴えています。発熱や咳はありません。血圧は正常で、二週間後に再診してください。"
)
THAI = "ผู้ป่วยมีอาการปวดหัวมาสามวันไม่มีไข้ไม่ไอความดันโลหิตปกติหัวใจเต้นสม่ำเสมอแนะนำให้พักผ่อนและกลับมาตรวจซ้ำในสองสัปดาห์"
ARABIC = "يشكو المريض من صداع منذ ثلاثة أيام دون حمى أو سعال وضغط الدم طبيعي والقلب منتظم ويوصى بالراحة والعودة بعد أسبوعين"


@pytest.mark.parametrize("text", ENGLISH)
def test_texts_with_blanks_between_words_are_divided_as_they_always_were(text: str) -> None:
    assert words(text) == re.findall(r"\w+", text.casefold())
    assert verbatim_words(text) == text.split() == pieces(text)
    assert count_words(text) == len(text.split())
    assert joined(text.split()) == " ".join(text.split())


def test_scripts_without_blanks_give_pairs_of_characters() -> None:
    assert words("头痛3天 ok") == ["头痛", "3", "天", "ok"]
    assert words("มีไข้") == ["มีไ", "ไข้"]
    assert verbatim_words("a 头痛。") == ["a", "头痛", "。"]
    assert joined(pieces("头痛 abc 天")) == "头痛 abc 天"
    assert words("हिन्दी में") == ["हिन्दी", "में"]


def test_a_decomposed_letter_is_the_same_letter() -> None:
    assert words("cafe\u0301 visite\u0301") == words("caf\u00e9 visit\u00e9")


@pytest.mark.parametrize(
    "text", ["，".join(CHINESE) + "。", JAPANESE, THAI, ARABIC], ids=["zh", "ja", "th", "ar"]
)
def test_near_duplicates_are_recognised_in_every_script(text: str) -> None:
    changed = text[:20] + text[23:]
    other = "".join(random.Random(0).sample(text, len(text)))
    assert len(shingles(text)) >= 12
    assert set(near_duplicates([text, text], 0.9)) == {(0, 1)}
    assert set(near_duplicates([text, changed, other], 0.3)) == {(0, 1)}


def test_copy_filter_and_copy_metric_agree_on_a_chinese_text() -> None:
    text = "，".join(CHINESE)
    changed, other = (
        text.replace("三天", "四天"),
        "，".join(reversed(CHINESE[:5])) + "，请按时服药并记录体温变化情况",
    )
    field = Field(name="note", type="text", max_length=200)
    refused = CopyFilter([{"note": text}], [field], "near")
    assert refused({"note": changed}) is not None
    assert refused({"note": other}) is None
    elsewhere = "病人因膝盖受伤来诊，关节肿胀，拍片未见骨折，建议休息两周后复查并进行康复锻炼"
    real = RealRecords(
        [field], pd.DataFrame({"note": [text, elsewhere, "今日复诊，血压正常，继续服用原来的药物"]})
    )
    found = real.beside(pd.DataFrame({"note": [changed, other]}))
    assert found.is_near.tolist() == [True, False]
    assert found.record[0] == 0


def test_runs_of_words_are_measured_in_chinese() -> None:
    texts = ["".join(random.Random(seed).choices(CHINESE, k=8)) for seed in range(12)]
    table = pd.DataFrame({"note": texts})
    schema = Schema((Field(name="note", type="text", max_length=999),))
    runs = _Runs.of(Context(schema, table, table, None, None, Evaluate(), len(texts))).runs
    assert len(runs[13]) > 100
    assert _repeating([texts[0][:30], "请按时服药并记录体温变化情况"], runs)[13].tolist() == [True, False]


def test_decomposed_texts_are_composed_and_said_once() -> None:
    texts = [
        f"Gro\u0308\u00dfe gea\u0308ndert am Tag {row}, {row % 7} mg, nichts weiter" for row in range(60)
    ]
    raw = pd.DataFrame({"note": texts, "kind": ["a", "b"] * 30})
    data = Data(source="x", fields={"note": {"type": "text"}})
    prepared = assemble(Recipe(name="x", data=data), from_object(raw))
    notes = pd.concat([split["note"] for split in prepared.splits.values()])
    assert set(notes) == {text.replace("o\u0308", "\u00f6").replace("a\u0308", "\u00e4") for text in texts}
    told = [warning for warning in prepared.warnings if "decomposed" in warning]
    assert len(told) == 1
    assert "column 'note': 60 texts hold decomposed letters" in told[0]
    assert "ndert" not in told[0]


def test_errors_of_the_codec_show_no_text() -> None:
    assert describe_value("secret") == "a text of 6 characters"
    assert describe_value(5) == "5"
