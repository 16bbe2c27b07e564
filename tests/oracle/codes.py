"""Which codes are timed, untimed, or neither, typed from the rule book, section 1."""

TIMED = frozenset(
    [
        "97032",
        "97033",
        "97034",
        "97035",
        "97036",
        "97110",
        "97112",
        "97113",
        "97116",
        "97124",
        "97129",
        "97130",
        "97140",
        "97530",
        "97533",
        "97535",
        "97537",
        "97542",
        "97750",
        "97755",
        "97760",
        "97761",
        "97763",
    ]
)
UNTIMED = frozenset(
    [
        "97010",
        "97012",
        "97014",
        "97016",
        "97018",
        "97022",
        "97024",
        "97026",
        "97028",
        "97150",
        "97161",
        "97162",
        "97163",
        "97164",
        "97165",
        "97166",
        "97167",
        "97168",
        "92507",
        "92508",
        "92521",
        "92522",
        "92523",
        "92524",
        "92526",
        "G0283",
    ]
)
GROUP_CODE = "97150"


def is_timed(code):
    """True for a code billed in 15-minute units."""
    return code in TIMED


def in_scope(code):
    """True for a timed or an untimed code; lines of any other code are out of every rule."""
    return code in TIMED or code in UNTIMED


def counted(code):
    """The code whose minutes and units this code's are: the add-on 97130 is one code with 97129."""
    return "97129" if code == "97130" else code


def documented(code, delivery):
    """Every counted code that a block of this code and delivery documents."""
    said = {counted(code)}
    if delivery == "group":
        said.add(GROUP_CODE)
    if code in ("97014", "G0283"):
        said |= {"97014", "G0283"}
    return said


def discipline_of(code):
    """PT, OT or SLP where the code alone says so, else None."""
    if code in ("97161", "97162", "97163", "97164"):
        return "PT"
    if code in ("97165", "97166", "97167", "97168"):
        return "OT"
    if code in UNTIMED and code.startswith("925"):
        return "SLP"
    return None
