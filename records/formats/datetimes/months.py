"""Names of months and weekdays in the languages that dates are read in."""

import re

WORD = re.compile(r"\S+")
MONTHS = {
    "en": WORD.findall(
        "January February March April May June July August September October November December"
    ),
    "de": WORD.findall("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    "fr": WORD.findall(
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre"
    ),
    "es": WORD.findall(
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
    ),
}
SHORT_MONTHS = {
    "en": [month[:3] for month in MONTHS["en"]],
    "de": WORD.findall("Jan Feb Mrz Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
    "fr": WORD.findall("janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
    "es": WORD.findall("ene feb mar abr may jun jul ago sep oct nov dic"),
}
DAYS = WORD.findall("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
SHORT_DAYS = [day[:3] for day in DAYS]
