"""Names of things that look like names of people or towns: eponyms, devices, drugs, laws, models and companies.

A list holds what is well known. The words beside a name decide on the rest: `Foley catheter`, `Zoloft 50 mg`, `switched from
Zoloft`, `Lanham Act`, `Sharpe ratio`, `Ally Financial`.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise

from paracosm.records.pii.lexicon.common_words import word_set
from paracosm.records.pii.lexicon.name_lists import NameLists

UNIT = re.compile(r"(?<![^\W_]['’-])(?<![^\W_])[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+|-[^\W\d_]+)*")
"""A word, or words that hyphens join, without a possessive `s`."""
EPONYM_NOUNS = word_set(
    "disease syndrome palsy fracture catheter sign signs reflex criteria criterion classification class grade staging stage"
    " esophagus lymphoma sarcoma tumor tumour carcinoma cyst node nodes nodule chorea ataxia aphasia encephalopathy psychosis dementia"
    " thyroiditis vertigo phenomenon ulcer hernia pouch drain pin pins wire wires rod rods plate retractor retractors forceps clamp"
    " scissors needle cannula trocar stent graft shunt valve prosthesis implant nail splint collar bypass anastomosis fundoplication"
    " osteotomy arthroplasty maneuver manoeuvre index inventory questionnaire nomogram formula equation palsies respiration respirations"
    " breathing sounds murmur spots lesion lesions defect deformity contracture neuroma cardiomyopathy titer titers virus stain antigen"
    " crisis anemia anaemia purpura cirrhosis nephropathy gangrene ganglion triangle plaques tear laceration depth regimen"
    " triad pentad blade blades bag lift grid tonometry contractions maneuvers glands akathisia foot joint joints esophagitis paralysis tremor dystrophy malformation tetralogy anomaly spring tubes speculum"
    " act doctrine warning warnings rights deference amendment immunity hearing motion challenge"
    " ratio curve theorem distribution coefficient alpha equilibrium accord scheme model models ophthalmopathy position"
)
GENERIC_NOUNS = word_set(
    "test tests testing score scores scale procedure surgery line lines tube study method rule law principle protocol response therapy"
    " process material violation pattern block effect repair operation technique approach incision injury attack cells bodies"
    " rating assessment depression anxiety stage type level committee swab boot brace dressing bandage"
)
"""Nouns that follow a patient's name too (`Patel test results`), so they count only after a known eponym or an unlisted word."""
LAW_NOUNS = word_set("act code convention treaty clause plea plan")
"""Nouns that need a capital, because they are verbs and ordinary words too."""
FIRM_WORDS = word_set(
    "inc llc ltd corp corporation company co gmbh plc lp llp bank bancorp financial finance mortgage capital federal holdings partners"
    " group insurance assurance credit lending loan loans funding trust savings securities investments motors airlines systems"
    " technologies pharmaceuticals pharma therapeutics labs laboratories hospital university college school clinic medical institute"
    " foundation church center centre hotel inn court county department services solutions associates industries brothers bros"
    " scientific southern general memorial regional methodist baptist consulting edison fed fund funds reserve exchange universal title energy electric gas stores market acceptance servicing recovery collections management media press times herald"
)
STATE_WORDS = word_set("placed removed inserted positive negative present absent downgoing upgoing")
BEFORE_THING = re.compile(r"\b(?:the|an?|indwelling|urinary)[ \n]$", re.IGNORECASE)
"""An article or an adjective before an eponym that stands alone: `the Foley`."""
AFTER_DRUG = re.compile(
    r"(?:['’]s)?,? (?:(?:XR|ER|SR|CR|DR|LA|HFA|HCT|DS|ODT)\b|\d+(?:[.,/-]\d+)* ?(?:mg|mcg|µg|ml|g|gm|units?|iu|meq|tabs?|tablets?|caps?|%|puffs?)\b"
    r"|tablets?\b|capsules?\b|pills?\b|inhalers?\b|patch(?:es)?\b|injections?\b|infusions?\b|drops\b|cream\b|ointment\b|nasal spray"
    r"|drip\b|gtt|dos(?:e|es|age|ing)\b|levels?\b|overdose|withdrawal|toxicity|[ip]\.?[vo]\b|b\.?i\.?d|t\.?i\.?d|q\.?(?:d|\dh|hs)|prn\b"
    r"|daily\b|nightly\b|at bedtime)",
    re.IGNORECASE,
)
BEFORE_DRUG = re.compile(
    r"(?:\b(?:allerg(?:ic|y|ies)|intoleran(?:t|ce)|sensitiv(?:e|ity)|react(?:ed|s|ions?)|respon(?:ds?|ded|sive|se)|switch(?:ed)?|chang(?:ed?|ing)"
    r"|transition(?:ed)?|convert(?:ed)?|wean(?:ed)?|taper(?:ed)?|titrat(?:ed?|ing)|addict(?:ed|ion)|refractory|resistant|secondary)"
    r"(?: \w+)?(?: to| from| off(?: of)?| with|:)(?: oral| iv| the)?"
    r"|\b(?:switch|chang|transition|convert)\w*(?: \w+)? from [\w-]+(?: \d+ ?\w+)? to"
    r"|\b(?:started|starts|continu\w+|resum\w+|restart\w*|stop(?:ped|s)?|discontinued?|prescri\w+|refill\w*|takes|taking|took|tolerat\w+"
    r"|administered|received|increas\w+|decreas\w+|add(?:ed|ing)|held|(?:is|was|are|now|remains|currently|been|while) on)"
    r"(?: on| her| his| home| daily| oral| iv| of)*"
    r"|\b(?:treat(?:ed|ment)|premedicated|overdos(?:ed?|ing)|load(?:ed)?|anticoagulat\w+|therapy) (?:on|with)|\b(?:doses?|course|trial|tablets?|mg|refills?) of"
    r"|\b(?:inhalers?|meds|medications?|rx|drugs|allergies|antibiotics?|statins?)(?: are| include[sd]?)?:?)[ \n]$",
    re.IGNORECASE,
)
DRUG_ENDING = re.compile(
    r"(?:mab|nib|olol|pril|artan|statin|prazole|conazole|cillin|mycin|micin|floxacin|cycline|gliptin|gliflozin|glitazone|glutide|tidine"
    r"|triptan|setron|xaban|gatran|parin|grel|dronate|oxetine|ipramine|triptyline|azepam|zolam|barbital|caine|codone|morphone|phylline"
    r"|terol|tropium|sonide|asone|solone|cisone|thiazide|semide|dipine|afil|vudine|navir|tegravir|buvir|ciclovir|cyclovir|sulfan"
    r"|platin|rubicin|taxel|trexate|poetin|grastim|azine|peridol|apine|idone|piprazole|racetam|gabalin|profen|oxicam|coxib|curium"
    r"|emia|itis|osis|oma|opathy|ectomy|otomy|ostomy|plasty|scopy|algia|uria|plegia|ology|ologist|graphy|tension|cardia)$"
)
"""Stems of the international nonproprietary names, and endings of diagnoses, operations and specialties."""
SHORTEST_STEM = 7
JOINT = re.compile(r"(?:['’]s)?(?: [a-z]+)?(?:,| and| or|/|, and|, or| \+| &) ?")
"""What stands between two members of an enumeration."""
LONGEST_GAP = 3
"""Characters between two words of a listed term, as in `St. Jude` and `Johnson & Johnson`."""
CLASS_NUMBER = re.compile(r"(?:['’]s)? (?:[IVX]{1,4}|\d{1,3}(?:\.\d)?)\b(?! (?:Street|St|Ave|Road|Rd)\b)")


@dataclass(frozen=True)
class _Lists:
    own: dict[str, list[tuple[str, ...]]]
    """First word of a term -> its words; longest term first."""
    shared: frozenset[str]


@cache
def _lists() -> _Lists:
    text = files("paracosm.records.pii.lexicon").joinpath("terms.txt").read_text(encoding="utf-8")
    sections: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            sections[section] += [term.strip() for term in line.split(",")]
    own: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for term in sections["own"]:
        words = tuple(_plain(match.group()) for match in UNIT.finditer(term))
        own[words[0]].append(words)
    for terms in own.values():
        terms.sort(key=len, reverse=True)
    return _Lists(dict(own), frozenset(sections["shared"]))


def _plain(word: str) -> str:
    return word.casefold().replace("’", "'").removesuffix("'s").removesuffix("'")


def find_terms(text: str, lists: NameLists) -> list[tuple[int, int]]:
    """Return start and end of the names of things in a text, in order.

    Args:
        text: the text.
        lists: words that are frequent names are a thing only if a term list has them.
    """
    units = list(UNIT.finditer(text))
    terms: set[int] = set()
    for index, unit in enumerate(units):
        if unit.group()[0].isupper() and index not in terms:
            terms.update(_listed(text, units, index) or _in_context(text, units, index, lists))
    firms = {units[index].group() for index in terms if _head(text, units, index).casefold() in FIRM_WORDS}
    terms |= {
        index
        for index, unit in enumerate(units)
        if unit.group() in firms and not _is_frequent(unit.group(), lists)
    }
    _spread(text, units, terms, lists)
    return [units[index].span() for index in sorted(terms)]


def is_eponym(text: str, start: int, end: int) -> bool:
    """Return whether a span is a word of the term lists before a noun such as `catheter`."""
    word = _plain(text[start:end])
    if word not in _lists().shared and word not in _lists().own:
        return False
    units = [match for match in (UNIT.match(text, start),) if match]
    units += list(UNIT.finditer(text, end, end + 24))
    return bool(units) and _head(text, units, 0).casefold() in EPONYM_NOUNS


def _spread(text: str, units: list[re.Match[str]], terms: set[int], lists: NameLists) -> None:
    """Add the members of an enumeration that has a term as a member: `Lipitor, Plavix and Coumadin`."""
    names = [index for index, unit in enumerate(units) if unit.group()[0].isupper()]
    for pairs in (
        list(pairwise(names)),
        list(pairwise(reversed(names))),
    ):
        for index, neighbor in pairs:
            word = units[neighbor].group()
            if index not in terms or neighbor in terms:
                continue
            between = text[units[min(index, neighbor)].end() : units[max(index, neighbor)].start()]
            is_free = word.casefold() in _lists().shared or not _is_frequent(word, lists)
            if is_free and JOINT.fullmatch(between):
                terms.add(neighbor)


def _is_frequent(word: str, lists: NameLists) -> bool:
    """Return whether a word, or a part of it between hyphens, is a frequent given or family name of the language."""
    return any(
        part in lists.common_given or part in lists.common_family for part in word.casefold().split("-")
    )


def _listed(text: str, units: list[re.Match[str]], index: int) -> range:
    """Return the indices of the units of a listed term that begins at a unit."""
    for words in _lists().own.get(_plain(units[index].group()), ()):
        end = index + len(words)
        if [_plain(unit.group()) for unit in units[index:end]] == list(words) and all(
            other.start() - one.end() <= LONGEST_GAP
            for one, other in zip(units[index : end - 1], units[index + 1 : end], strict=True)
        ):
            return range(index, end)
    return range(0)


def _in_context(text: str, units: list[re.Match[str]], index: int, lists: NameLists) -> range:
    """Return the indices of a unit, and those before it, that the words beside it show to be a thing."""
    unit, one = units[index], range(index, index + 1)
    if _follows_name(text, units, index, lists):
        return range(0)
    word = _plain(unit.group())
    is_shared, is_given, is_frequent = (
        word in _lists().shared,
        word in lists.common_given,
        _is_frequent(word, lists),
    )
    head = _head(text, units, index)
    small = head.casefold()
    if small in LAW_NOUNS and head.islower():
        small = ""
    if (small in EPONYM_NOUNS or small in LAW_NOUNS) and (is_shared or not is_given):
        return one
    if small in GENERIC_NOUNS and (is_shared or not is_frequent):
        return one
    if small in FIRM_WORDS and head[0].isupper() and not is_given:
        return range(_first_of_run(text, units, index), index + 1)
    if is_shared and BEFORE_THING.search(text[max(0, unit.start() - 12) : unit.start()]):
        return one
    if is_shared and (small in STATE_WORDS or CLASS_NUMBER.match(text, unit.end())):
        return one
    return one if not is_frequent and _is_drug(text, unit) else range(0)


def _head(text: str, units: list[re.Match[str]], index: int) -> str:
    """Return the word that follows a unit after a blank, with or without a possessive `s` between them, or nothing."""
    end = units[index].end()
    if text.startswith(("'s", "’s"), end):
        end += 2
    elif text.startswith(("'", "’"), end):
        end += 1
    for unit in units[index + 1 : index + 3]:
        if unit.start() > end:
            return unit.group() if text[end : unit.start()] in (" ", "\n") else ""
    return ""


def _first_of_run(text: str, units: list[re.Match[str]], index: int) -> int:
    """Return the index of the first of the capitalized units before a unit, with blanks between them."""
    while (
        index > 0
        and units[index - 1].group()[0].isupper()
        and text[units[index - 1].end() : units[index].start()] == " "
    ):
        index -= 1
    return index


def _follows_name(text: str, units: list[re.Match[str]], index: int, lists: NameLists) -> bool:
    """Return whether a given name or an initial stands right before a unit, which is then the family name."""
    if index == 0:
        return False
    before = units[index - 1]
    between = text[before.end() : units[index].start()]
    word = before.group()
    return word[0].isupper() and (
        (between == " " and word.casefold() in lists.common_given) or (len(word) == 1 and between == ". ")
    )


def _is_drug(text: str, unit: re.Match[str]) -> bool:
    word = unit.group().casefold()
    return (
        (len(word) >= SHORTEST_STEM and DRUG_ENDING.search(word) is not None)
        or AFTER_DRUG.match(text, unit.end()) is not None
        or BEFORE_DRUG.search(text[max(0, unit.start() - 60) : unit.start()]) is not None
    )
