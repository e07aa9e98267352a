"""Personal data in running text: whole names, ages, dates and numbers go; eponyms, drugs, laws, firms and measurements stay."""

import re
from functools import cache

import pandas as pd
import pytest

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.mentions.addresses import addresses
from paracosm.records.pii.mentions.ages import find_ages
from paracosm.records.pii.mentions.terms import find_terms
from paracosm.records.pii.protect import protect
from paracosm.records.pii.pseudonyms import Pseudonyms

SALT = b"t" * 32


@cache
def replaced(text: str) -> str:
    """Return a text after `pii: replace`, as the only text of a table."""
    return _replaced(pd.DataFrame({"note": [text]}, dtype="string"))["note"][0]


def _replaced(raw: pd.DataFrame, **more: object) -> pd.DataFrame:
    data = Data.model_validate(
        {
            "source": "t.csv",
            "pii": {"action": "replace", "oldest_age": 89},
            "fields": {"note": {"type": "text"}},
            **more,
        }
    )
    return protect(raw, infer(raw, data).schema, data, salt=SALT).raw


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Mrs. Adeyemi-Castellan's son drove.", "Adeyemi|Castellan"),
        ("Seen by Prof. Müller-Östberg and Dr O'Farrell-Ibáñez.", "Müller|Östberg|Farrell|Ibáñez"),
        ("Dear Ms. von der Lindenau, Mr. de la Barca and Dr. al-Hariri came.", "Lindenau|Barca|Hariri"),
        ("Capt. Wintergreen and Sgt. Oakhurst waited.", "Wintergreen|Oakhurst"),
        ("dr. gupta and mrs. hartley-bowes agreed; mr. van houten left.", "gupta|hartley|bowes|houten"),
        (
            "MR. LEOPOLD FARTHINGALE-ROE WAS SEEN BY DR. AGATHA STROUD.",
            "LEOPOLD|FARTHINGALE|ROE|AGATHA|STROUD",
        ),
        ("Patient: VANCE-HOLLOWAY, LUCY ANN came in.", "VANCE|HOLLOWAY|LUCY|ANN"),
        ("Dictated by K. L. Featherstone, MD; cc: B.J. Wainwright PA-C.", "Featherstone|Wainwright"),
        ("His brother-in-law Kwame and daughter, Oluchi, visited.", "Kwame|Oluchi"),
        ("Signed electronically by: Cornelius P. Thackeray III, M.D.", "Cornelius|Thackeray"),
        ("Mrs. Le and Mr. An were here.", "Le|An"),
    ],
)
def test_names_go_whole(text: str, gone: str) -> None:
    assert not re.findall(rf"(?<![^\W_])(?:{gone})(?![^\W_])", replaced(text))


@pytest.mark.parametrize(
    "text",
    [
        # urology, surgery, orthopaedics, cardiology, psychiatry
        "Foley catheter in, Hickman line out, Jackson-Pratt drain in situ.",
        "Roux-en-Y bypass, Whipple procedure and Billroth II were discussed.",
        "Colles fracture; Lachman test positive; Kirschner wire placed; Garden III fracture.",
        "Wolff-Parkinson-White and Brugada patterns; Killip class II; CHADS score 2.",
        "Beck Depression Inventory 20 and Hamilton score 17.",
        "Graves' disease, Guillain-Barre, Parkinson disease and Baker's cyst.",
        "Zyzzwick syndrome, Quorfield's sign and the Trombley maneuver are eponyms that no list has.",
        # drugs
        "Switched from Zoloft to Lexapro; allergic to Augmentin; started on Keppra and Lamictal.",
        "Took Plavix, Lipitor and Vorelimab; Zelquora 50 mg daily was stopped.",
        # law and finance
        "A Miranda warning, the Sarbanes-Oxley Act, Dodd-Frank, the Wexbury Act and 15 U.S.C. 1692 apply.",
        "Chapter 11, Article 5 Section 2 and Title 11 Chapter 7 apply.",
        "Black-Scholes, a Sharpe ratio of 1, Basel III; Wells Fargo, Morgan Stanley and Boston Scientific.",
        # measurements, doses, degrees
        "Temp 37 Pulse 72 Resp 16, Weight 81 Height 172.",
        "Took 2 Tylenol 500; Grade 2 Astrocytoma 2015; Score 8 Level 3 Room 12.",
        # what stands after titles and kin is not always a name
        "Family history: Mother Diabetes, Father Hypertension. Nurse Practitioner visit, Attorney General.",
        "dr. appointment today; the dr told me; ms patient; mr said no.",
        "Lease of 99 years; temp 97F; within 95 years; 95% of 91 people.",
    ],
)
def test_names_of_things_stay(text: str) -> None:
    assert replaced(text) == text


@pytest.mark.parametrize(
    ("text", "ages"),
    [
        ("aged 93; Age: 95; a 97F; 91 yo M; 92yo; 96 y.o. woman", [93, 95, 97, 91, 92, 96]),
        ("98-yr-old; 99 years of age; 104 year old", [98, 99, 104]),
        ("ninety-three years old, turned ninety-one, one hundred and two years", [93, 91, 102]),
        ("for 93 years old as he is", [93]),
        ("a term of 99 years; T 97F; aged 95%; 97f; page 96", []),
    ],
)
def test_ages_are_read_in_digits_and_words(text: str, ages: list[int]) -> None:
    assert [age for *_, age in find_ages(text, "en")] == ages


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "im Alter von 93 gestorben, 94 Jahre alt, 95-jährig"),
        ("fr", "âgée de 93, 94 ans"),
        ("es", "edad: 93, 94 años"),
        ("it", "età: 93, 94 anni"),
        ("nl", "leeftijd 93, 94 jaar"),
        ("pt", "idade: 93, 94 anos"),
    ],
)
def test_ages_are_read_in_other_languages(language: str, text: str) -> None:
    assert [age for *_, age in find_ages(text, language)][:2] == [93, 94]


def test_ages_above_the_oldest_become_one_age() -> None:
    assert replaced("She is ninety-three years old; he is aged 95, she 61.") == (
        "She is 90 years old; he is aged 90, she 61."
    )


def test_dates_precede_streets_and_streets_go() -> None:
    new = replaced("Seen on 14 February 2019 and 07 Mar 2020 2 times. Lives at 12 Elm Street, Apt #4B.")
    assert not re.search(r"14 February 2019|07 Mar 2020|12 Elm", new)
    dates = re.findall(r"\d+ [A-Z][a-z]+ \d{4}", new)
    assert (pd.Timestamp(dates[1]) - pd.Timestamp(dates[0])).days == 387
    assert new.count("Apt") == 1


@pytest.mark.parametrize("text", ["Address: 641 Birkdale 688 is right.", "She lives at 12 Lindenhof 3."])
def test_a_street_without_a_word_for_it_needs_an_address_beside_it(text: str) -> None:
    assert not re.search("641 Birkdale 688|12 Lindenhof 3", replaced(text))


@pytest.mark.parametrize("number", ["078-05-1120", "219 09 9999"])
def test_an_announced_number_is_what_the_words_say(number: str) -> None:
    new = replaced(f"SSN {number}, NPI 1234567893, case no. 2125550188, call 212-555-0188.")
    security, npi, case, phone = re.findall(
        r"SSN ([\d -]+), NPI (\d+), case no\. (\d+), call ([\d-]+)\.", new
    )[0]
    # No American number begins with 9 and has a group below 50.
    assert re.fullmatch(r"9\d\d[- ][0-4]\d[- ]\d{4}", security)
    assert security != number
    assert npi not in ("1234567893", phone)
    assert case != "2125550188"
    assert re.fullmatch(r"\d{3}-555-01\d\d", phone)


def family(*rows: tuple[str, str]) -> pd.DataFrame:
    raw = pd.DataFrame(rows, columns=["patient_name", "note"], dtype="string")
    return raw.assign(patient_id=[f"P{row}" for row in range(len(raw))])


def test_one_person_is_one_person_in_column_text_and_initials() -> None:
    raw = family(
        ("Li Wei", "Li will return. Wei, Li: labs. L.W. declined. pt li called."),
        (
            "Tomás Van der Berg",
            "Mrs. Van der Berg; TOMÁS VAN DER BERG; Van der Berg, Tomás: ok. T.V. declined.",
        ),
        ("Grace Young", "Young, Grace: seen. G.Y. declined. May is near. Grace will return."),
        ("May Okafor", "May came in May. She returns in May 2 times."),
    )
    data = {"subject": "patient_id", "pii": {"action": "replace", "columns": {"patient_name": "name"}}}
    new = _replaced(raw, **data)
    for row, gone in enumerate(["Li|Wei|li", "Tomás|TOMÁS|Berg|BERG", "Young|Grace", "Okafor"]):
        assert not re.search(rf"\b(?:{gone})\b", new["note"][row])
    given, family_name = new["patient_name"][0].split()
    assert new["note"][0] == (
        f"{given} will return. {family_name}, {given}: labs. {given[0]}.{family_name[0]}. declined. pt {given.lower()} called."
    )
    given, berg = new["patient_name"][1].split(" Van der ")
    assert new["note"][1] == (
        f"Mrs. Van der {berg}; {given.upper()} VAN DER {berg.upper()}; Van der {berg}, {given}: ok. {given[0]}.V. declined."
    )
    assert "in May" in new["note"][3]


def test_a_term_beside_a_name_does_not_hide_the_name() -> None:
    lists = name_lists("en")
    text = "Mary Foley said so. The Foley catheter stayed. Foley and Smith left."
    assert [text[start:end] for start, end in find_terms(text, lists)][:1] == ["Foley"]
    assert find_terms(text, lists)[0][0] == text.index("Foley catheter")
    new = replaced("Mary Foley said so. The Foley catheter stayed. Dr. Graves left, Mr. Parkinson too.")
    assert "Foley catheter" in new
    assert not re.search("Mary|Foley said|Graves|Parkinson", new)


@pytest.mark.parametrize("text", ["12 Elm St, Apt 4", "9 Oak Road", "77 Pine Ave Suite #12B", "5 Main St."])
def test_an_invented_address_has_a_unit_only_where_the_real_one_has(text: str) -> None:
    new = Pseudonyms(SALT, "en", {}).address(text)
    unit = re.compile(r"Apt|Suite")
    assert len(unit.findall(new)) == len(unit.findall(text))
    assert new != text
    assert new.endswith(".") == text.endswith(".")


ADDRESSES = {
    "Sent to 0896 69 Farnell Street, Loombah, Norway today.": "0896 69 Farnell Street, Loombah, Norway",
    "She is at PSC 0413, Box 8144\nAPO AA 42323 now.": "PSC 0413, Box 8144\nAPO AA 42323",
    "Taxi to 692 Kuuse 53 Apt. 641, Grubbenvorst, Netherlands 04020. Thanks": (
        "692 Kuuse 53 Apt. 641, Grubbenvorst, Netherlands 04020"
    ),
    "We met at Paseo del Prado 81 yesterday.": "Paseo del Prado 81",
    "He lives in Lyngveien 46 with her.": "Lyngveien 46",
    "Meet at the corner of Bygget 64 and Komel Club.": "Bygget 64 and Komel Club",
    "mail 605 some lane 210 apt. 99 please": "605 some lane 210 apt. 99",
    "Mail goes to 7830 Ridgemont Road. On 27 Sep 1998 2 forms were sent.": "7830 Ridgemont Road.",
}


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items())
def test_addresses_are_found_whole(text: str, address: str) -> None:
    assert [text[start:end] for start, end in addresses(text, "en")] == [address]


@pytest.mark.parametrize(
    "text",
    [
        "Temp 37 Pulse 72 Resp 16, Weight 81 Height 172.",
        "Took 2 Tylenol 500 and 1 Motrin 200; inject 10 units of insulin 100 daily.",
        "Article 5 Section 2 and Title 11 Chapter 7; the suite of 12 tests.",
        "Grade 2 Astrocytoma 2015, seen by Dr. Smith, USA, on 5 May.",
        "PSC 12 was raised. Box 5 of the form is empty.",
    ],
)
def test_measurements_and_references_are_no_addresses(text: str) -> None:
    assert addresses(text, "en") == []
