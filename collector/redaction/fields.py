"""Rule `field`: a value goes because of the key before it, in any notation a log has.

`key=value`, `key: value`, `"key":"value"`, `key:[value]`, `["key","value"]`, `(b'key', b'value')`,
`{"name":"key","value":"…"}`, `{"key":"…","value":{"stringValue":"…"}}`, `<key>value</key>`, `name="key">value<`,
broken or cut JSON included, since nothing is parsed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from collector.redaction.cookies import cookies
from collector.redaction.extents import end_of, limit, opening_quote
from collector.redaction.field_names import key_pattern, kind_of
from collector.redaction.hits import Hit, is_ours
from collector.redaction.judges import JUDGES, MASKED, Value
from collector.redaction.meter import spend
from collector.redaction.patterns import compiled

MAX_KEY: Final = 48
VALUE_STEPS: Final = 8  # to find the end of a value and to judge it

_GLUE: Final = (
    rb"(?:[\\\"'`\])]{0,8}[ \t]{0,4}(?::=|=>|::[ \t]|[:=])"  # key=  "key":  key::  'key' =>  [key]=
    rb"|\\{0,7}[\"'](?:,[ ]?\\{0,7}\"[A-Za-z_]{1,20}\\{0,7}\":[ ]?(?:\\{0,7}\"[^\"\\]{0,40}\\{0,7}\"|[a-z0-9.]{1,10})){1,3},[ ]?\\{0,7}\"[Vv]alue\\{0,7}\":"  # "id":"key","type":"…","value":
    rb"|\\{0,7}[\"'][ \t]{0,2},[ \t]{0,2}(?:[\"']?value\\{0,7}[\"']?[ \t]{0,2}[:=]|[bu]?\\{0,7}[\"'])"  # "key","value":  ["key","
    rb"|\\{0,7}[\"'][ \t]{1,2}value[ \t]{0,2}="  # name="key" value=
    rb"|(?:,?[ \t]{1,2}|\r?\n[ \t]{1,16})[Vv]alue[ \t]{0,2}[:=]"  # name: KEY, value:  {Name:KEY Value:
    rb"|\\{0,7}[\"'];s:"  # s:3:"key";s:12:  (PHP's serialize)
    rb"|\\{0,7}[\"'](?:[ \t]{1,4}| (?:was|is|is now|to|with|set to) )\\{0,7}[\"']"  # "key" "value"  "key" was "value"
    rb"|[ ]{0,2}->[ ]{0,2}|[~|]"  # key->value  key~value  key|value
    rb"|\\{0,7}[\"']?>)"  # <key>  name="key">
)
_FIELD_TEXT: Final = key_pattern() + _GLUE
_OPTION_TEXT: Final = rb"--[A-Za-z][A-Za-z0-9_.\-]+[ \t]+[^\s\-]"  # of a command line
_TAG_TEXT: Final = rb"<[A-Za-z][A-Za-z0-9_.:\-]*[ \t\r\n][^<>]+>"
TRIGGER: Final = b"|".join((_FIELD_TEXT, _TAG_TEXT, _OPTION_TEXT))
FIELD: Final = compiled(_FIELD_TEXT)
_OPTION: Final = compiled(_OPTION_TEXT)
_KEY_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.$\xe4\xf1\xf3\xf6"


# What may stand between the glue and the value: brackets, quotes, a bytes prefix, OTLP's and HAR's `value` members.
_OPENING: Final = compiled(
    rb"[ \t]{0,8}(?:0x[0-9a-f]{1,16} (?:\"))?(?:[\[(<][ \t]{0,2}|\{[ \t]{0,2}\\{0,7}[\"']?(?i:string_?value|bytes_?value|value)\\{0,7}[\"']?[ \t]{0,2}[:=][ \t]{0,2}){0,3}"
    # YAML's block marks and tags, PHP's dumps, and wrappers: `>- `, `!vault `, `string(12) `, `12:`, `SecretStr(`
    rb"(?:[|>][+\-]?[ \t]{1,8}|[|>][+\-]?[0-9]?[ \t]{0,8}\r?\n[ \t]{1,16}|![A-Za-z!]{1,20}[ \t]{1,4}|(?:\r?\n[ \t]{1,16})?string\([0-9]{1,6}\)[ \t]|[0-9]{1,6}:(?:\\{0,7}\")"
    rb"|[A-Za-z_][A-Za-z0-9_.]{0,40}\([bu]?\\{0,7}[\"'`])?"
    rb"(?:[bNu]?\\{0,7}(?:\"\"\"(?:\r?\n)?|[\"'`]))?"
)
_PERSONAL: Final = compiled(
    rb"(?i)(?:\bsub|\bgiven|passw(?:or)?d|e-?mail|(?:given|family|middle|first|last)_?name|preferred_username|\bupn|birthdate|nickname|phone_number)[\"'\\]{0,8}[ \t]{0,2}[:=]"
)
_TAG: Final = compiled(_TAG_TEXT)
_DOMAIN_USER: Final = compiled(rb"[A-Z0-9][A-Z0-9\-]{1,14}\\{1,2}[A-Za-z0-9._\-]{2,64}")
_NEXT_ELEMENT: Final = compiled(rb"\\{0,7}[\"'][ \t]{0,4},[ \t\r\n]{0,4}\\{0,7}[\"']")
_MEMBER: Final = compiled(rb"([\w.\-]{1,48})\\{0,7}\"?:[ ]?\\{0,7}\"([^\"\\]{4,128})\\{0,7}\"")
_NEXT_BARE: Final = compiled(rb",[ ]?")
_FOLDERS: Final = (b"PWD", b"OLDPWD")  # of a shell
_CDATA: Final = b"<![CDATA["
_PARAMETER_END: Final = compiled(rb"[?;]")
# What a value must look like where the relation alone does not make it one.
_LOOSENED: Final = {"auth": "likely", "secret": "likely", "weak": "likely", "user": "actor", "name": "actor"}
_BLANK: Final = (b" ", b"\t", b"\r", b"\n")
_ELEMENT_KINDS: Final = frozenset(("auth", "secret", "weak", "user"))
MAX_STORAGE: Final = 80
MAX_CONTENT: Final = 16_384
MAX_TAG: Final = 400
MAX_ELEMENTS: Final = 64
_AMR: Final = 4  # letters at most of an RFC 8176 method: `["pwd","mfa"]`
_NEAR: Final = 400  # characters on either side in which other personal claims make `name` a person's


def find(data: bytes) -> Iterator[Hit]:
    """Values of keys that are secret or personal."""
    if b"<" in data:
        yield from _elements(data)
    if b"--" in data:
        yield from _options(data)
    done = 0
    for stem, end in FIELD.spans(data):
        if stem < done:
            continue
        start, key = _key(data, stem, end)
        kind = kind_of(key)
        if kind in ("", "safe") or _is_folder(data, key, end):
            continue
        kind = _as_printed(data, key, kind, end)
        if not kind:
            continue
        spend(VALUE_STEPS)
        for hit in _value(data, kind, start, end, data[stem:end]):
            done = max(done, hit.end)
            yield hit


def _as_printed(data: bytes, key: bytes, kind: str, end: int) -> str:
    """`Credentials=[…]` of Spring Security's Authentication.toString is secret."""
    plain = key.lower()
    if plain == b"subject" and data[end - len(key) - 2 : end - len(key) - 1] in (b"?", b"&"):  # of a mail's link
        return ""
    if plain == b"accountname" and b";AccountKey=" in data[end : end + MAX_STORAGE]:  # of Azure's storage
        return ""
    is_list = kind == "weak" and data[end - 1 : end + 1] == b"=[" and key.lower().endswith(b"credentials")
    return "secret" if is_list else kind


def _is_folder(data: bytes, key: bytes, end: int) -> bool:
    """`PWD=/srv/app`, of a shell."""
    return key in _FOLDERS and data[end : end + 1] in (b"/", b"~")


def _elements(data: bytes) -> Iterator[Hit]:
    """`<key attribute="…">value</key>`; without attributes `find` sees the glue."""
    for start, end in _TAG.spans(data):
        name = data[start + 1 : end].split(None, 1)[0].rpartition(b":")[2]
        kind = kind_of(name)
        if kind not in _ELEMENT_KINDS or data[end - 2 : end - 1] == b"/":
            continue
        spend(VALUE_STEPS)
        last = data.find(b"<", end, end + MAX_CONTENT)
        if last < 0:  # cut off: what follows on the line may be another field
            last = end_of(data, end, b"", limit(data, end))
        if last > end:
            yield from JUDGES[kind](Value(data, end, last, quoted=True, prose=False))


def _options(data: bytes) -> Iterator[Hit]:
    """`--password value`; `--token=value` has glue."""
    for start, end in _OPTION.spans(data):
        kind = kind_of(data[start + 2 : end - 1].rstrip(b" \t\"'"))
        if kind not in ("auth", "secret"):
            continue
        spend(VALUE_STEPS)
        first = end - (data[end - 1 : end] not in b"\"'")
        last = end_of(data, first, opening_quote(data, first), limit(data, first))
        yield from JUDGES[kind](Value(data, first, last, quoted=False, prose=False))


def _key(data: bytes, start: int, end: int) -> tuple[int, bytes]:
    """The whole key around a stem: where it begins, and its text."""
    least = start - MAX_KEY if start > MAX_KEY else 0
    first = least + len(data[least:start].rstrip(_KEY_BYTES))
    field = data[start : end if end - start < MAX_KEY else start + MAX_KEY]
    return first, data[first : start + len(field) - len(field.lstrip(_KEY_BYTES))]


def _value(data: bytes, kind: str, key: int, glue_end: int, field: bytes) -> Iterator[Hit]:
    glue = field.rstrip(b" \t")[-1:]
    start = _start(data, key, glue_end, glue, field)
    if start < 0 or _is_userinfo(data, key, start):
        return
    quote = opening_quote(data, start)
    if kind == "cookie":
        yield from cookies(data, start, quote)
        return
    if kind == "name" and not _is_persons(data, key, start):
        return
    end = _end(data, kind, key, start, quote)
    if glue in b"\"'" and b"," in field and not _is_pairs_value(data, start, end):
        return
    yield from _related(Value(data, start, end, bool(quote), b":" in field[-3:] and not quote), kind, quote, field)


def _related(value: Value, kind: str, quote: bytes, field: bytes) -> Iterator[Hit]:
    """Judged as the relation between key and value demands."""
    glue = field.rstrip(b" \t")[-1:]
    if glue == b"|":
        value = value._replace(end=value.start + len(value.text.partition(b"|")[0]))
    yield from _judged(value, _LOOSENED.get(kind, kind) if _is_loose(field, glue) else kind, quote)


def _is_loose(field: bytes, glue: bytes) -> bool:
    """`key->value`, `key~value`, `key|value`, `"key" "value"`: other things look so too."""
    return glue in b"|~" or field.rstrip(b" ").endswith(b"->") or (glue in b"\"'" and b"," not in field)


def _start(data: bytes, key: int, glue_end: int, glue: bytes, field: bytes) -> int:
    """Where the value begins; -1 when there is none, or a mask."""
    if not _is_glue(data, key, glue_end, glue, field) or MASKED.end_at(data, glue_end) > 0:
        return -1
    is_tag = glue == b">" and not field.rstrip(b" \t").endswith((b"=>", b"->"))
    return _inner_text(data, glue_end, field) if is_tag else _OPENING.end_at(data, glue_end)


def _is_persons(data: bytes, key: int, start: int) -> bool:
    """`name` is among other claims about a person."""
    return _PERSONAL.find(data, max(0, key - _NEAR), start + _NEAR)[0] >= 0


def _judged(value: Value, kind: str, quote: bytes) -> Iterator[Hit]:
    data, start = value.data, value.start
    if data[start : start + 1] == b"{" and (kind in _LOOSENED or kind == "likely"):
        yield from _members(data, start)
    for hit in JUDGES[kind](value):
        long = hit.end == limit(data, start)
        yield hit._replace(end=end_of(data, hit.start, quote, len(data))) if long else hit
    if data[start - len(quote) - 1 : start - len(quote)] == b"[":
        if kind in ("weak", "likely"):
            yield from JUDGES["actor"](value)
        yield from _others(data, kind, value.end, quote)


def _others(data: bytes, kind: str, end: int, quote: bytes) -> Iterator[Hit]:
    """The further elements of `"backup_codes":["…","…"]` and `codes=[…, …]`."""
    for _ in range(MAX_ELEMENTS):
        spend(VALUE_STEPS)
        start = (_NEXT_ELEMENT if quote else _NEXT_BARE).end_at(data, end)
        if start < 0:
            return
        end = end_of(data, start, quote, limit(data, start))
        element = Value(data, start, end, quoted=bool(quote), prose=False)
        yield from JUDGES[kind](element)
        if kind in _LOOSENED:
            yield from JUDGES["likely"](element)


def _members(data: bytes, start: int) -> Iterator[Hit]:
    """What looks like one in `"passwords":{"admin":"…","ops":"…"}`."""
    end = data.find(b"}", start, limit(data, start))
    for match in _MEMBER.finditer(data, start, end if end > 0 else limit(data, start)):
        if kind_of(match.group(1)) != "safe":
            yield from JUDGES["likely"](Value(data, match.start(2), match.end(2), quoted=True, prose=False))


def _inner_text(data: bytes, start: int, field: bytes) -> int:
    """Where the text of an element begins, that of `Name="key"><AttributeValue …>` too; -1 when there are only elements."""
    while data[start : start + 1] in _BLANK:
        start += 1
    if data[start : start + 1] != b"<":
        return start
    if data.startswith(_CDATA, start):
        return start + len(_CDATA)
    if not (b'"' in field or b"'" in field) or data[start + 1 : start + 2] == b"/":
        return -1
    inner = data.find(b">", start, start + MAX_TAG)
    return inner + 1 if inner > 0 and data[inner - 1 : inner] != b"/" else -1


def _is_userinfo(data: bytes, key: int, start: int) -> bool:
    """`smtp://apikey:…@host`: rule `url` keeps the host."""
    return data[max(0, key - 3) : key] == b"://" and b"@" in data[start : end_of(data, start, b"", limit(data, start))]


def _end(data: bytes, kind: str, key: int, start: int, quote: bytes) -> int:
    end = _plain_end(data, key, start, quote)
    return max(end, _DOMAIN_USER.end_at(data, start)) if kind == "user" and not quote else end


def _plain_end(data: bytes, key: int, start: int, quote: bytes) -> int:
    end = end_of(data, start, quote, limit(data, start))
    if data[max(0, key - 1) : key] == b";" and not quote:  # `;jsessionid=…?x=1`, a parameter of a path's segment
        query = _PARAMETER_END.find(data, start, end)[0]
        return end if query < 0 else query
    return end


def _is_glue(data: bytes, key: int, end: int, glue: bytes, field: bytes) -> bool:
    # `[token]: 401 expired` is our own word before a reason; `[token] => …` is a dump.
    if glue == b":" and data[key - 1 : key] == b"[" and is_ours(data, key - 1):
        return False
    if _is_loose(field, glue):
        return True
    if glue in b"\"'":
        return _opens_pair(data, key)
    if glue == b">" and b"] =>" in field:  # PHP's print_r
        return True
    if glue == b">":
        return _is_element(data, key, field)
    return not (glue == b":" and data[end : end + 1] == b":")  # `JWT::ExpiredSignature` is a name


def _opens_pair(data: bytes, key: int) -> bool:
    """`["key", "value"]`: the key's quote follows an opening bracket; in a longer list neither is a key."""
    return data[max(0, key - 10) : key].rstrip(b"\"'\\bu").rstrip()[-1:] in (b"[", b"(")


def _is_pairs_value(data: bytes, start: int, end: int) -> bool:
    """The pair closes behind it, and it is not a key itself: `["password", "refresh_token"]` lists grant types."""
    closes = data[end : end + 10].lstrip(b"\"'\\ ")[:1] in (b"]", b")", b"")
    value = data[start:end]
    return closes and not kind_of(value[:MAX_KEY]) and not (len(value) <= _AMR and value.islower() and value.isalpha())


def _is_element(data: bytes, key: int, field: bytes) -> bool:
    """`<key>` or `name="key">`; not `a -> b`, `token>=8` nor `</ns:key>`."""
    if data[max(0, key - 80) : key].rpartition(b"<")[2].startswith(b"/"):
        return False
    return b'"' in field or b"'" in field or data[max(0, key - 1) : key] in (b"<", b":")
