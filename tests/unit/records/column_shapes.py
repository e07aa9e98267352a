"""Column shapes as files hold them: what each looks like, and the type that it has to get.

A shape is named `what:column name`. Cells are drawn with a fixed seed. `read_as` lists the types that are right; every column whose
type is not identifier has to be written as it was read.
"""

import datetime as dates
import hashlib
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

CELLS = 300
BASE = dates.datetime(2021, 3, 1)


@dataclass(frozen=True)
class ColumnShape:
    """A column as a file holds it.

    Attributes:
        name: what the shape is.
        column: name of the column.
        cells: the cells; empty ones are missing.
        read_as: types that are right.
        warns: whether inference has to say something about the column.
    """

    name: str
    column: str
    cells: tuple[str, ...]
    read_as: tuple[str, ...]
    warns: bool


SHAPES: list[ColumnShape] = []
Draw = Callable[[random.Random, int], str]


def shape(key: str, read_as: str, draw: Draw, *, warns: bool = False, cells: int = CELLS) -> None:
    """Add a shape: `key` is `what:column name`, `read_as` the right types, separated by blanks."""
    name, _, column = key.partition(":")
    rng = random.Random(key)
    SHAPES.append(
        ColumnShape(
            name,
            column,
            tuple(draw(rng, number) for number in range(cells)),
            tuple(read_as.split()),
            warns,
        )
    )


def choice(key: str, read_as: str, values: list[str], *, warns: bool = False) -> None:
    """Add a shape whose cells are drawn from a list."""
    shape(key, read_as, lambda rng, _: rng.choice(values), warns=warns)


def moment(rng: random.Random, *, milliseconds: bool = False) -> dates.datetime:
    value = BASE + dates.timedelta(seconds=rng.randrange(60 * 60 * 24 * 500))
    return value + dates.timedelta(milliseconds=rng.randrange(1000)) if milliseconds else value


def moments(
    key: str, read_as: str, form: str, *, lower: bool = False, upper: bool = False, warns: bool = False
) -> None:
    """Add a shape of moments in a strftime format."""

    def draw(rng: random.Random, _: int) -> str:
        text = moment(rng).strftime(form)
        return text.lower() if lower else text.upper() if upper else text

    shape(key, read_as, draw, warns=warns)


def price(rng: random.Random) -> float:
    return round(rng.lognormvariate(6, 1.5), 2)


def european(value: float) -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")


def signed(rng: random.Random, positive: str, negative: str) -> str:
    return negative if rng.random() < 0.4 else positive


def digits(rng: random.Random, count: int) -> str:
    return str(rng.randrange(10 ** (count - 1), 10**count))


# Whole numbers.
shape("age:age", "integer", lambda rng, _: str(rng.randrange(18, 91)))
shape("age_of_patients_few:age", "integer", lambda rng, _: str(int(rng.gauss(60, 9))))
shape("year:year", "integer", lambda rng, _: str(rng.randrange(1990, 2024)))
shape("count_long_tail:visits", "integer", lambda rng, _: str(int(rng.expovariate(0.4))))
shape("salary:salary", "integer", lambda rng, _: str(int(rng.lognormvariate(10, 1))))
shape("salary_rounded:salary", "integer", lambda rng, _: str(rng.randrange(20, 150) * 500))
shape("signed:balance", "integer", lambda rng, _: str(rng.randrange(-500, 500)))
shape("trailing_zero_fraction:chol", "integer", lambda rng, _: f"{rng.randrange(100, 400)}.0")
shape("nullable_integer:n", "integer", lambda rng, _: rng.choice(["", str(rng.randrange(50))]))
shape("zero_one:flag", "integer", lambda rng, _: rng.choice("01"))
shape("epoch_seconds:ts", "integer", lambda rng, _: str(1_614_556_800 + rng.randrange(40_000_000)))
shape("epoch_ms:ts", "integer", lambda rng, _: str(1_614_556_800_000 + rng.randrange(40_000_000_000)))
shape("index_value:price_index", "integer", lambda rng, number: str(9000 + 7 * number + rng.randrange(7)))
shape("zip_stripped:zip", "integer", lambda rng, _: str(rng.randrange(501, 99999)))
shape("account_8_digits:amount", "integer", lambda rng, _: digits(rng, 8))
shape("population_thousands:population", "integer", lambda rng, _: f"{int(price(rng) * 1000):,}")
shape("int_thousands_small:n", "integer", lambda rng, _: f"{rng.randrange(5, 5000):,}")
shape("german_thousands:einwohner", "integer", lambda rng, _: f"{int(price(rng) * 9000):,}".replace(",", "."))
shape("space_thousands:prix", "integer", lambda rng, _: f"{int(price(rng)):,}".replace(",", " "))
shape("nbsp_thousands:prix", "integer", lambda rng, _: f"{int(price(rng)):,}".replace(",", "\u00a0"))
shape("narrow_nbsp_thousands:prix", "integer", lambda rng, _: f"{int(price(rng)):,}".replace(",", "\u202f"))
shape("apostrophe_thousands:lohn", "integer", lambda rng, _: f"{int(price(rng) * 9):,}".replace(",", "'"))
shape(
    "right_apostrophe_thousands:lohn",
    "integer",
    lambda rng, _: f"{int(price(rng) * 9):,}".replace(",", "\u2019"),
)
shape(
    "indian:lakh",
    "integer",
    lambda rng, _: f"{rng.randrange(1, 99)},{rng.randrange(10, 99)},{rng.randrange(100, 999)}",
)
shape("percent_whole:rate", "integer", lambda rng, _: f"{rng.randrange(100)}%")
shape("percent_few:discount", "integer", lambda rng, _: f"{rng.choice([0, 5, 10, 25])}%")
shape("milligrams:dose", "integer", lambda rng, _: f"{rng.randrange(1, 60)} mg")
shape("euro_before:cost", "integer", lambda rng, _: f"EUR {rng.randrange(900)}")
shape("plus_whole:change", "integer", lambda rng, _: f"{rng.randrange(-9, 10):+d}")
shape("dollars_no_cents:fee", "integer", lambda rng, _: f"${rng.randrange(20, 9000):,}")
shape("dollars_zero_cents:fee", "integer", lambda rng, _: f"${rng.randrange(20, 9000):,}.00")
shape(
    "trailing_minus_whole:saldo",
    "integer",
    lambda rng, _: signed(rng, "{0}", "{0}-").format(rng.randrange(1, 900)),
)
shape(
    "parentheses_whole:pnl",
    "integer",
    lambda rng, _: signed(rng, "{0}", "({0})").format(rng.randrange(1, 900)),
)
shape("zip_many:zip", "integer text", lambda rng, _: f"{rng.randrange(501, 99999):05d}", warns=True)

# Decimal numbers.
shape("two_decimals:amount", "number", lambda rng, _: f"{price(rng):.2f}")
shape("trimmed_decimals:x", "number", lambda rng, _: repr(rng.randrange(1000) / 8).removesuffix(".0"))
shape("python_decimals:x", "number", lambda rng, _: repr(rng.randrange(1000) / 8))
shape("latitude:lat", "number", lambda rng, _: f"{rng.uniform(47, 55):.7f}")
shape("float64:x", "number", lambda rng, _: repr(rng.gauss(0, 1)))
shape("float64_price:close", "number", lambda rng, _: repr(rng.gauss(100, 10)))
shape("float_17_digits:x", "number", lambda rng, _: f"{rng.gauss(0, 1):.17g}")
shape("float_15_digits:x", "number", lambda rng, _: f"{rng.gauss(0, 1):.15g}")
shape("scientific:conc", "number", lambda rng, _: f"{rng.lognormvariate(-10, 3):.3e}")
shape("scientific_capital:conc", "number", lambda rng, _: f"{rng.lognormvariate(-10, 3):.2E}")
shape("repr_exponents:conc", "number", lambda rng, _: repr(rng.lognormvariate(-10, 3)))
shape(
    "r_exponents:income",
    "number",
    lambda rng, _: rng.choice(["1e+05", "2e+05", f"{rng.randrange(10_001, 99_999)}"]),
)
shape(
    "java_doubles:x",
    "number",
    lambda rng, _: rng.choice(["1.5E-7", "2.25E8", f"{rng.randrange(1, 999) / 4!r}"]),
)
shape(
    "bare_point:p",
    "number",
    lambda rng, _: signed(rng, "{0}", "-{0}").format(f".{rng.randrange(1, 100):02d}"),
)
shape("bare_and_whole:p", "number", lambda rng, _: f"{rng.randrange(1, 300) / 100:.2f}".removeprefix("0"))
shape("usd_thousands:price", "number", lambda rng, _: f"${price(rng):,.2f}")
shape("usd_blank:price", "number", lambda rng, _: f"$ {price(rng):,.2f}")
shape(
    "usd_negative:balance", "number", lambda rng, _: signed(rng, "${0:,.2f}", "-${0:,.2f}").format(price(rng))
)
shape(
    "usd_negative_inside:balance",
    "number",
    lambda rng, _: signed(rng, "${0:.2f}", "$-{0:.2f}").format(price(rng)),
)
shape(
    "usd_parentheses:pnl", "number", lambda rng, _: signed(rng, "${0:,.2f}", "(${0:,.2f})").format(price(rng))
)
shape(
    "usd_accounting:pnl",
    "number",
    lambda rng, _: signed(rng, "$ {0:,.2f}", "$ ({0:,.2f})").format(price(rng)),
)
shape("usd_code:price", "number", lambda rng, _: f"USD {price(rng):,.2f}")
shape("usd_code_after:price", "number", lambda rng, _: f"{price(rng):,.2f} USD")
shape(
    "rupees:price",
    "number",
    lambda rng, _: (
        f"₹{rng.randrange(1, 9)},{rng.randrange(10, 99)},{rng.randrange(100, 999)}.{rng.randrange(10, 99)}"
    ),
)
shape("decimal_comma:preis", "number", lambda rng, _: f"{price(rng):.2f}".replace(".", ","))
shape("decimal_comma_trimmed:menge", "number", lambda rng, _: f"{rng.randrange(400) / 8:g}".replace(".", ","))
shape("decimal_comma_three:gewicht", "number", lambda rng, _: f"{rng.random() * 5:.3f}".replace(".", ","))
shape("european:umsatz", "number", lambda rng, _: european(price(rng)))
shape(
    "european_signed:saldo", "number", lambda rng, _: signed(rng, "{0}", "-{0}").format(european(price(rng)))
)
shape("european_euro:betrag", "number", lambda rng, _: f"{european(price(rng))} €")
shape("european_euro_nbsp:betrag", "number", lambda rng, _: f"{european(price(rng))}\u00a0€")
shape("euro_first:bedrag", "number", lambda rng, _: f"€ {european(price(rng))}")
shape("euro_after:prix", "number", lambda rng, _: f"{price(rng):.2f}€")
shape(
    "french:montant", "number", lambda rng, _: f"{price(rng):,.2f}".replace(",", "\u202f").replace(".", ",")
)
shape("swiss:lohn", "number", lambda rng, _: f"{price(rng):,.2f}".replace(",", "'"))
shape("parentheses:balance", "number", lambda rng, _: signed(rng, "{0:.2f}", "({0:.2f})").format(price(rng)))
shape("trailing_minus:sap", "number", lambda rng, _: signed(rng, "{0:.2f}", "{0:.2f}-").format(price(rng)))
shape(
    "trailing_minus_european:sap",
    "number",
    lambda rng, _: signed(rng, "{0}", "{0}-").format(european(price(rng))),
)
shape("plus:change", "number", lambda rng, _: f"{rng.choice([-1, 1]) * rng.uniform(0.01, 9):+.2f}")
shape(
    "plus_zero:change",
    "number",
    lambda rng, _: rng.choice(["0.0", f"{rng.uniform(0.1, 9):+.1f}", f"-{rng.uniform(0.1, 9):.1f}"]),
)
shape("percent:rate", "number", lambda rng, _: f"{rng.random() * 100:.1f}%")
shape("percent_blank:rate", "number", lambda rng, _: f"{rng.random() * 100:.1f} %".replace(".", ","))
shape("percent_plus:growth", "number", lambda rng, _: f"{rng.choice([-1, 1]) * rng.uniform(0.1, 9):+.1f}%")
shape(
    "unicode_minus:delta",
    "number",
    lambda rng, _: signed(rng, "{0:.1f}", "\u2212{0:.1f}").format(rng.uniform(0.1, 9)),
)
shape("kilograms:w", "number", lambda rng, _: f"{rng.random() * 90:.1f} kg")
shape("kilograms_nbsp:w", "number", lambda rng, _: f"{rng.random() * 90:.1f}\u00a0kg")
shape(
    "zero_inflated:claims",
    "number",
    lambda rng, _: "0.00" if rng.random() < 0.9 else f"{rng.lognormvariate(7, 1):.2f}",
)
shape("missing_numbers:temp", "number", lambda rng, _: rng.choice(["", f"{rng.gauss(15, 5):.1f}"]))

# Numbers that name things.
choice("leading_zeros:branch", "category", ["007", "0042", "815", "1234", "03"])
choice("leading_zero_width:branch", "category", ["007", "042", "815"], warns=True)
choice("trailing_zeros:version", "category", ["1.1", "1.10", "1.2", "2.0"])
choice("versions:release", "category", ["1.2.3", "1.2.10", "2.0.0"])
choice("nace:nace", "category", ["01.11", "01.13", "10.71", "62.01", "47.11", "05.10"])
choice("icd9:diag", "category", ["038.9", "250.00", "401.9", "428.0", "008.45"])
choice("icd9_no_zero:diag", "category", ["250.00", "401.9", "428.0"])
choice("icd10:diag", "category", ["E11.9", "I10", "J45.909", "Z00.00"])
choice("hs_code:hs", "category", ["0101.21", "8703.23", "0901.11"])
choice("zip_few:zip", "category", ["02139", "10001", "94105", "60601", "73301"], warns=True)
choice("zip_plus4_few:zip", "category", ["02134", "02134-1234", "10001"])
choice("gaps:mssubclass", "category", ["20", "30", "60", "120", "190"], warns=True)
choice("rare_codes:dept", "category", ["1", "2", "97", "99"], warns=True)
choice("german_grades:grade", "category", ["1.0", "1.3", "1.7", "2.0", "2.3"], warns=True)
choice("labels:item", "category", ["item 3", "item 4", "item 9"])
choice("mixed_grades:grade", "category", ["1", "2", "3", "K", "PK"])
choice("age_bands:agegroup", "category", ["[0-10)", "[10-20)", "[20-30)"])
choice("classes:income", "category", ["<=50K", ">50K"])
choice("installs:installs", "category", ["1,000+", "10,000+", "500K", "1.2M"])
choice("fullwidth:c", "category", ["１２", "３４"])
choice("arabic:c", "category", ["١٢", "٣٤"])
choice("quarters:q", "category", ["2021Q1", "2021Q2", "2021Q3", "2020Q4"])
choice("quarters_first:q", "category", ["Q1 2021", "Q2 2021", "Q3 2021"])
choice("weeks:week", "category", ["2021-W05", "2021-W10", "2021-W41"])
choice("hex_few:mask", "category", ["0x1f", "0xa0", "0xff"])
shape(
    "store_numbers:store",
    "category",
    lambda rng, _: str(random.Random(rng.randrange(25)).randrange(1000, 9999)),
    warns=True,
    cells=2000,
)
shape(
    "naics:naics",
    "category",
    lambda rng, _: str(random.Random(rng.randrange(30)).randrange(111110, 928120)),
    warns=True,
    cells=2000,
)
shape("many_product_codes:sku", "category", lambda rng, _: f"SKU-{rng.randrange(500):04d}", cells=5000)
shape("beyond_64_bits_few:account", "category", lambda rng, _: str(10**20 + rng.randrange(4)))

# Words.
choice("yes_no:f", "boolean", ["yes", "no"])
choice("YES_NO:f", "boolean", ["YES", "NO"])
choice("Y_N_missing:f", "boolean", ["Y", "N", ""])
choice("true_false:f", "boolean", ["True", "False"])
choice("ja_nein:f", "boolean category", ["ja", "nein"])
choice("on_off:f", "boolean category", ["on", "off"])
choice("mixed_truth:f", "category", ["True", "False", "TRUE", "false"])
choice("x_or_blank:f", "category", ["X", ""])
choice("blanks_around:workclass", "category", [" Private", " Gov", " Self"])
choice("blank_after:c", "category", ["A", "A ", "B"])
choice("constant:c", "category", ["x"])
choice("lists:tags", "category", ["['red']", "['red', 'blue']", "['black']"])
choice("piped:genres", "category", ["Action|Comedy", "Drama", "Horror|Sci-Fi"])
choice("json:attrs", "category", ['{"k": 1}', '{"k": 2}'])
shape(
    "sentences:note",
    "text",
    lambda rng, number: f"The patient came in on day {number} and felt {rng.choice(['well', 'ill'])}.",
)
shape(
    "cities:city",
    "text category",
    lambda rng, _: "".join(random.Random(rng.randrange(150)).choices("aeioukrtmnl", k=7)).title(),
)

# Quantities that are not one number: never left out silently.
shape(
    "blood_pressure:bp",
    "text",
    lambda rng, _: f"{rng.randrange(90, 180)}/{rng.randrange(60, 110)}",
    warns=True,
)
shape(
    "ratio:odds",
    "text category",
    lambda rng, _: f"{rng.randrange(1, 40)}:{rng.randrange(1, 90)}",
    warns=False,
)
shape(
    "fraction:share", "text", lambda rng, _: f"{rng.randrange(1, 90)}/{rng.randrange(100, 999)}", warns=True
)
shape(
    "coordinates:location",
    "text",
    lambda rng, _: f"{rng.uniform(47, 55):.4f}, {rng.uniform(6, 14):.4f}",
    warns=True,
)
shape(
    "coordinates_parentheses:location",
    "text",
    lambda rng, _: f"({rng.uniform(47, 55):.5f}, {rng.uniform(6, 14):.5f})",
    warns=True,
)
shape(
    "degrees:coord",
    "text",
    lambda rng, _: f"{rng.randrange(90)}°{rng.randrange(60)}'{rng.randrange(60)}\"N",
    warns=True,
)
shape("height_feet:height", "category text", lambda rng, _: f"{rng.randrange(4, 7)}'{rng.randrange(12)}\"")
shape(
    "range_of_values:band",
    "text",
    lambda rng, _: f"{rng.randrange(100, 900)}-{rng.randrange(900, 1800)}",
    warns=True,
)
shape(
    "dimensions:size",
    "text",
    lambda rng, _: f"{rng.randrange(10, 99)} x {rng.randrange(10, 99)} cm",
    warns=True,
)
shape(
    "zip_plus4:postcode_area",
    "text",
    lambda rng, _: f"{rng.randrange(501, 99999):05d}-{rng.randrange(1, 9999):04d}"[: rng.choice([5, 10])],
    warns=True,
)
shape(
    "limits:lab",
    "text",
    lambda rng, _: rng.choice([f"{rng.random() * 5:.2f}", f"{rng.random() * 9:.2f}", "<0.05", ">100"]),
    warns=True,
)
shape(
    "mixed_units:w",
    "text",
    lambda rng, _: f"{rng.random() * 90:.1f}" + rng.choice([" kg", " lbs"]),
    warns=True,
)
shape(
    "minus_999:temp",
    "text",
    lambda rng, _: "-999" if rng.random() < 0.2 else f"{rng.gauss(15, 5):.1f}",
    warns=True,
)
shape(
    "question_marks:horsepower",
    "text category",
    lambda rng, _: "?!" if rng.random() < 0.2 else str(rng.randrange(50, 230)),
    warns=True,
)
shape(
    "approximate:val",
    "text",
    lambda rng, _: rng.choice(["~", "", ""]) + f"{rng.random() * 5:.2f}",
    warns=True,
)
shape(
    "size_k_M:size",
    "text",
    lambda rng, _: rng.choice([f"{rng.random() * 50:.1f}M", f"{rng.randrange(1000)}k"]),
    warns=True,
)
shape(
    "fraction_7_digits:created",
    "text",
    lambda rng, _: f"{moment(rng):%Y-%m-%dT%H:%M:%S}.{digits(rng, 7)}",
    warns=True,
)
shape(
    "pandas_timedelta:length",
    "text duration",
    lambda rng, _: (
        f"{rng.randrange(0, 30)} days {rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    ),
)

# Moments.
moments("iso_date:day", "datetime", "%Y-%m-%d")
moments("us_date:seen", "datetime", "%m/%d/%Y")
moments("german_date:buchungstag", "datetime", "%d.%m.%Y")
moments("short_year:seen", "datetime", "%m/%d/%y")
moments("iso_seconds:logged", "datetime", "%Y-%m-%dT%H:%M:%S")
moments("iso_minutes:logged", "datetime", "%Y-%m-%d %H:%M")
moments("iso_z:logged", "datetime", "%Y-%m-%dT%H:%M:%SZ")
moments("iso_offset:logged", "datetime", "%Y-%m-%dT%H:%M:%S+02:00")
moments("iso_offset_short:logged", "datetime", "%Y-%m-%dT%H:%M:%S+0200")
moments("utc_word:event_time", "datetime", "%Y-%m-%d %H:%M:%S UTC")
moments("cet_word:event_time", "datetime", "%d.%m.%Y %H:%M:%S CET")
moments("java_zone:event_time", "datetime", "%Y-%m-%dT%H:%M:%S+01:00[Europe/Berlin]")
moments("sqlserver_000:order_ts", "datetime", "%Y-%m-%d %H:%M:%S.000")
shape(
    "iso_ms_z:created_at",
    "datetime",
    lambda rng, _: moment(rng, milliseconds=True).isoformat(timespec="milliseconds") + "Z",
)
shape(
    "log_comma_ms:created_at",
    "datetime",
    lambda rng, _: moment(rng, milliseconds=True).isoformat(" ", "milliseconds").replace(".", ","),
)
shape(
    "iso_microseconds:created_at",
    "datetime",
    lambda rng, _: f"{moment(rng):%Y-%m-%d %H:%M:%S}.{rng.randrange(10**6):06d}",
)
shape(
    "iso_nanoseconds_zero:created_at",
    "datetime",
    lambda rng, _: f"{moment(rng):%Y-%m-%d %H:%M:%S}.{rng.randrange(10**6):06d}000",
)
shape(
    "one_digit_fraction:created_at",
    "datetime",
    lambda rng, _: f"{moment(rng):%Y-%m-%d %H:%M:%S}.{rng.randrange(10)}",
)
shape(
    "varying_fraction:created_at",
    "datetime",
    lambda rng, _: f"{moment(rng):%Y-%m-%d %H:%M:%S}.{rng.randrange(1, 1000):03d}".rstrip("0"),
)
shape(
    "fraction_or_none:created_at",
    "datetime",
    lambda rng, _: f"{moment(rng):%Y-%m-%d %H:%M:%S}" + rng.choice(["", ".5", ".25"]),
)
shape(
    "summer_time:logged",
    "datetime",
    lambda rng, _: (
        lambda value: f"{value:%Y-%m-%dT%H:%M:%S}" + ("+02:00" if 4 <= value.month <= 10 else "+01:00")
    )(moment(rng).replace(day=15)),
)
moments("oracle:hire", "datetime", "%d-%b-%y", upper=True)
moments("sas_date9:visit", "datetime", "%d%b%Y", upper=True)
moments("small_months:seen", "datetime", "%d %b %Y", lower=True)
moments("long_months:seen", "datetime", "%B %d, %Y")
moments("ampm_no_blank:start", "datetime", "%Y-%m-%d %I:%M%p")
moments("ampm_small:start", "datetime", "%m/%d/%Y %I:%M %p", lower=True)
moments("rfc2822:sent", "datetime", "%a, %d %b %Y %H:%M:%S +0000")
moments("apache:when", "datetime", "%d/%b/%Y:%H:%M:%S +0000")
moments("twitter:tweeted", "datetime", "%a %b %d %H:%M:%S +0000 %Y")
moments("month_year:issue_d", "datetime", "%b-%Y")
moments("month_slash:exp", "datetime", "%m/%Y")
moments("iso_month:month", "datetime", "%Y-%m")
moments("yyyymmdd:admitted", "datetime", "%Y%m%d", warns=True)
moments("ddmmyyyy:birth", "datetime", "%d%m%Y", warns=True)
moments("yyyymm:period", "datetime", "%Y%m", warns=True)
moments("yyyymmddhhmmss:stamp", "datetime", "%Y%m%d%H%M%S", warns=True)
moments("basic_iso:stamp", "datetime", "%Y%m%dT%H%M%S")
shape(
    "unpadded:seen",
    "datetime",
    lambda rng, _: (lambda value: f"{value.month}/{value.day}/{value.year}")(moment(rng)),
)
shape(
    "german_months:datum",
    "datetime",
    lambda rng, _: (
        lambda value: (
            f"{value.day}. {['Januar', 'Februar', 'März', 'April', 'Mai', 'Juni', 'Juli', 'August', 'September', 'Oktober', 'November', 'Dezember'][value.month - 1]} {value.year}"
        )
    )(moment(rng)),
)
shape(
    "french_months:date",
    "datetime",
    lambda rng, _: (
        lambda value: (
            f"{value.day} {['janvier', 'février', 'mars', 'avril', 'mai', 'juin', 'juillet', 'août', 'septembre', 'octobre', 'novembre', 'décembre'][value.month - 1]} {value.year}"
        )
    )(moment(rng)),
)
shape(
    "before_1678:born",
    "datetime",
    lambda rng, _: (dates.date(1550, 1, 1) + dates.timedelta(days=rng.randrange(90000))).isoformat(),
)
shape(
    "before_1000:reign",
    "datetime",
    lambda rng, _: (dates.date(850, 1, 1) + dates.timedelta(days=rng.randrange(90000))).isoformat(),
)
shape("open_end:valid_to", "datetime", lambda rng, _: rng.choice(["9999-12-31", f"{moment(rng):%Y-%m-%d}"]))
shape(
    "zero_dates:died",
    "text",
    lambda rng, _: rng.choice(["0000-00-00", f"{moment(rng):%Y-%m-%d}", f"{moment(rng):%Y-%m-%d}"]),
    warns=True,
)
moments("time_of_day:arrival", "datetime time", "%H:%M")
moments("time_seconds:arrival", "datetime time", "%H:%M:%S")
moments("time_ampm:arrival", "datetime time", "%I:%M %p")

# Keys.
shape("row_numbers:rownames", "identifier", lambda rng, number: str(number), warns=True)
shape(
    "sha256:user_hash",
    "identifier",
    lambda rng, number: hashlib.sha256(str(number).encode()).hexdigest(),
    warns=True,
)
shape(
    "sha256_repeated:user_hash",
    "identifier",
    lambda rng, number: hashlib.sha256(str(number // 4).encode()).hexdigest(),
    warns=True,
)
shape("md5:k", "identifier", lambda rng, number: hashlib.md5(str(number).encode()).hexdigest(), warns=True)
shape(
    "transaction_hash:tx",
    "identifier",
    lambda rng, number: "0x" + hashlib.sha256(str(number).encode()).hexdigest(),
    warns=True,
)
shape("uuid:k", "identifier", lambda rng, number: str(uuid.UUID(int=rng.getrandbits(128))), warns=True)
shape("uuid_no_dash:k", "identifier", lambda rng, number: uuid.UUID(int=rng.getrandbits(128)).hex, warns=True)
shape(
    "uuid_brace:k", "identifier", lambda rng, number: f"{{{uuid.UUID(int=rng.getrandbits(128))}}}", warns=True
)
shape("tracking_22_digits:tracking", "identifier", lambda rng, _: digits(rng, 22), warns=True)
shape(
    "unsigned_64_bits:ref",
    "identifier",
    lambda rng, _: str(rng.randrange(10**19, 18 * 10**18 + 10**18)),
    warns=True,
)
shape("imei:device", "identifier", lambda rng, _: str(35 * 10**13 + rng.randrange(10**13)), warns=True)
shape("barcode:barcode", "identifier", lambda rng, _: str(rng.randrange(4 * 10**12, 5 * 10**12)), warns=True)
shape("card_number:cc", "identifier", lambda rng, _: str(rng.randrange(4 * 10**15, 5 * 10**15)), warns=True)
shape(
    "phone_10_digits:contact", "identifier", lambda rng, _: str(rng.randrange(23 * 10**8, 10**10)), warns=True
)
shape(
    "phone_formatted:contact",
    "identifier",
    lambda rng, _: f"({rng.randrange(200, 999)}) {rng.randrange(200, 999)}-{rng.randrange(1000, 9999)}",
    warns=True,
)
shape("phone_e164:tel", "identifier", lambda rng, _: f"+4915{rng.randrange(10**8, 10**9)}", warns=True)
shape("iban:konto", "identifier", lambda rng, _: f"DE{digits(rng, 20)}", warns=True)
shape(
    "mac:device",
    "identifier",
    lambda rng, _: ":".join(f"{rng.randrange(256):02x}" for _ in range(6)),
    warns=True,
)
shape("ip:src", "identifier", lambda rng, _: ".".join(str(rng.randrange(256)) for _ in range(4)), warns=True)
shape(
    "ipv6:src",
    "identifier",
    lambda rng, _: ":".join(f"{rng.randrange(1, 65536):x}" for _ in range(8)),
    warns=True,
)
shape(
    "cidr:net", "identifier", lambda rng, _: f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24", warns=True
)
choice("ip_few:src", "category", ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
shape("url:link", "identifier", lambda rng, _: f"https://example.org/item/{rng.randrange(10**6)}", warns=True)
shape(
    "plate:plate",
    "identifier",
    lambda rng, _: "".join(rng.choices("ABCDEFGHIJ", k=3)) + f"-{rng.randrange(1000, 9999)}",
    warns=True,
)
shape("email:contact", "identifier", lambda rng, number: f"p{number}@example.org", warns=True)
shape("order_labels:reference", "identifier", lambda rng, number: f"ORD {number + 40_000}", warns=True)

# Shapes that are close to those above, and read otherwise by a rule too wide or too narrow.
choice("loinc:loinc", "category", ["8480-6", "8462-4", "8867-4", "2160-0", "718-7"])
choice("ndc:ndc", "category", ["0002-8215-01", "50090-0481-0", "0409-1171-30"])
choice("cost_centers:cost_center", "category", ["000123", "004500", "000099", "010020"], warns=True)
choice("income_bands:income", "category", ["0-9,999", "10,000-24,999", "25,000-49,999", "50,000+"])
choice("visual_acuity:va", "category", ["20/20", "20/25", "20/40", "20/200"])
choice("binary_flags:flags", "category", ["0010", "0110", "1000", "1111"], warns=True)
choice("ja_nein:raucher", "category", ["ja", "nein"])
choice("chinese_words:诊断", "category", ["高血压", "糖尿病", "感冒"])
STORES = [str(100_200 + 37 * number + (number * 7) % 23) for number in range(40)]
choice("branch_numbers:store", "category", STORES, warns=True)
shape("sleep_hours:sleep", "duration", lambda rng, _: f"{rng.randrange(3, 11)}h {rng.randrange(60):02d}m")
shape("iso_duration:len", "duration", lambda rng, _: f"PT{rng.randrange(1, 5)}H{rng.randrange(60)}M")
shape(
    "lap_time:lap_time",
    "duration",
    lambda rng, _: f"{rng.randrange(1, 4)}:{rng.randrange(60):02d}.{rng.randrange(1000):03d}",
    warns=True,
)
shape("length_of_stay:los", "integer", lambda rng, _: f"{rng.randrange(1, 30)} days")
moments("time_uhr:zeit", "time", "%H:%M Uhr")
moments("time_hrs:seen", "time", "%H:%M hrs")
moments("time_french:heure", "time", "%Hh%M")
moments("time_with_point:uhrzeit", "time", "%H.%M")
moments("number_with_point:zeit", "text", "%H.%M", warns=True)
shape("duration_french:attente", "duration", lambda rng, _: f"{rng.randrange(0, 4)}h{rng.randrange(60):02d}")
moments("chinese_date:日期", "datetime", "%Y年%m月%d日")
shape("japanese_date:d", "datetime", lambda rng, _: "{0.year}年{0.month}月{0.day}日".format(moment(rng)))
moments("korean_date:d", "datetime", "%Y년 %m월 %d일")
shape(
    "python_datetimes:t",
    "datetime",
    lambda rng, _: str(moment(rng) + dates.timedelta(microseconds=rng.choice([0, 500_000, 123_456]))),
)
shape("pounds:fee", "number", lambda rng, _: f"£{price(rng):,.2f}")
shape("reais:valor", "number", lambda rng, _: f"R$ {european(price(rng))}")
shape("francs:amt", "number", lambda rng, _: f"CHF {price(rng):,.2f}".replace(",", "'"))
shape(
    "european_parentheses:saldo",
    "number",
    lambda rng, _: signed(rng, european(price(rng)), f"({european(price(rng))})"),
)
shape("yuan:金额", "number", lambda rng, _: f"{price(rng):.2f}元")
shape("basis_points:spread", "integer", lambda rng, _: f"{rng.randrange(5, 500)}bps")
shape("minus_zero:change", "number", lambda rng, _: f"{rng.gauss(0, 0.2):.1f}", warns=True)
shape(
    "dash_for_missing_half:score",
    "text",
    lambda rng, _: signed(rng, "-", f"{rng.random() * 9:.2f}"),
    warns=True,
)
shape(
    "sentinel:temp", "text", lambda rng, _: rng.choice(["-999", *[f"{rng.gauss(15, 5):.1f}"] * 5]), warns=True
)
shape(
    "coordinate_pair:gps",
    "text",
    lambda rng, _: f"{rng.uniform(47, 55):.6f} {rng.uniform(6, 14):.6f}",
    warns=True,
)
shape(
    "well_known_text:geom",
    "text",
    lambda rng, _: f"POINT ({rng.uniform(47, 55):.5f} {rng.uniform(6, 14):.5f})",
    warns=True,
)
shape(
    "row_names:row.names", "identifier", lambda rng, number: str(17 * number + rng.randrange(17)), warns=True
)
KEYS = [str(554_000_003 + 7_919 * number) for number in range(100)]
choice("unnamed_keys:fin", "identifier", KEYS, warns=True)
choice("customer_numbers:Kd-Nr.", "identifier", [str(329_001 + 13 * n) for n in range(100)], warns=True)
shape(
    "ip_with_port:peer",
    "identifier",
    lambda rng, _: f"10.4.{rng.randrange(256)}.{rng.randrange(256)}:{rng.randrange(1024, 65_535)}",
    warns=True,
)
shape("compact_time:arrival", "time", lambda rng, _: f"{rng.randrange(24):02d}{rng.randrange(60):02d}")
shape(
    "compact_seconds:clock_in",
    "time",
    lambda rng, _: f"{rng.randrange(24):02d}{rng.randrange(60):02d}{rng.randrange(60):02d}",
)
shape("day_of_year:sampled", "datetime", lambda rng, _: moment(rng).strftime("%Y%j"), warns=True)
shape("month_day:birthday", "integer", lambda rng, _: moment(rng).strftime("%m%d"), warns=True)
