"""Whether two lines are about one request.

Proof is a request id, or the order of lines on one connection or thread. Without it, lines are joined only as complements:
an access line and words, a reason and an echo, one sentence in another's frame, what broke and what was refused for it.
Two reasons without proof are two requests, and so are two access lines, always.
"""

from __future__ import annotations

from typing import Final

from collector.gateways import has_shared_format, is_embedded
from collector.gateways.reading import reasons
from collector.joining.halves import Half
from collector.joining.marks import SESSION

NEAR_NS: Final = 2_000_000_000  # an access line is stamped at the request's end, an error line at the refusal
SAME_ID_NS: Final = 15 * NEAR_NS  # clients choose ids too, and use them again
ECHO_NS: Final = 1_000_000_000
EXACT_ECHO_NS: Final = 250_000_000  # Kafka answers a refused client after 100 ms, and logs its echo then
RUN_NS: Final = 10_000_000  # lines of one refusal on one connection follow each other at once
_MAX_PARTS: Final = 32
FAR: Final = 100  # lines of a stream in which those of one request stand, where they have no time
_IN_TOKENS: Final = frozenset(("time", "key", "issuer", "audience"))
_REFUSALS: Final = frozenset((400, 401, 403, 407, 422, 429, 431, 494))

_TOO_LARGE: Final = frozenset((400, 413, 414, 431, 494))  # what is answered to headers that are too large


def by_id(new: Half, old: Half) -> bool:
    """Both name one id: no second access line, no statement twice, no other reason than the one that is known.

    A session has many requests: lines that share no more than it have to be complements besides.
    """
    if not _near(new, old, SAME_ID_NS) or _is_repeated(new, old) or _is_other_id(new, old):
        return False
    if set(_of_requests(new)).isdisjoint(_of_requests(old)) and not _may_be_one_of_session(new, old):
        return False
    is_new_reason = old.is_complete and new.says_why and not new.is_access
    return reasons.agree(new.kinds, old.kinds) if is_new_reason else True


def by_thread(new: Half, old: Half) -> bool:
    """Lines of one connection or thread, in their order; `new` is the later one. Some name a token and no path."""
    if not _near(new, old, NEAR_NS) or _is_repeated(new, old) or _differ(new, old):
        return False
    if new.place or old.place:
        return new.place > old.place
    is_run = new.is_exact and old.is_exact and _near(new, old, RUN_NS)
    return (is_run and not old.is_complete) or _complete(new, old)


def by_sender(new: Half, old: Half) -> bool:
    """An error line and an access line with one client or one token; what only one of them says does not part them."""
    is_pair = new.is_access is not old.is_access
    return is_pair and _near(new, old, NEAR_NS) and not _differ(new, old) and _complete(new, old)


def by_stream(new: Half, old: Half) -> bool:
    """Lines of one program (`is_one_program`), near each other in time, or in place where one has no time."""
    if _is_beside(new, old) and not _is_said_again(new, old):
        return False
    if not _complete(new, old) or _is_of_next(new, old):
        return False
    is_known = new.time_known and old.time_known
    if not (_near(new, old, _reach(new, old)) if is_known else new.number - old.last <= _lines_between(new, old)):
        return False
    return not _differ(new, old)


def _lines_between(new: Half, old: Half) -> int:
    """How many lines of a stream without times may stand between two lines of one request.

    Words that only add to what has its words and its access line are the next line: further on, another request may be
    refused in the same words. Statements of one program about a request that has no access line yet stand further apart.
    """
    return 1 if old.is_access and old.has_line and not new.is_access else FAR


def _is_beside(new: Half, old: Half) -> bool:
    """Words with a time and words without one: what a program prints stands among what it logs of other requests."""
    return new.time_known is not old.time_known and not (new.is_access or old.is_access)


def _is_of_next(new: Half, old: Half) -> bool:
    """Words behind a request that its program has told to the end are the first about the next, unless they say the same."""
    return old.is_ended and not new.is_access and not repeats(new, old)


def _is_said_again(new: Half, old: Half) -> bool:
    """The very next line says the same: printed, and logged as well."""
    return new.number - old.number == 1 and repeats(new, old)


def _reach(new: Half, old: Half) -> int:
    """How far apart the two lines of one request may be, in nanoseconds."""
    if new.is_access is not old.is_access and not old.is_ended:
        return NEAR_NS
    return EXACT_ECHO_NS if new.is_exact and old.is_exact else ECHO_NS


def is_one_program(new: Half, old: Half) -> bool:
    """A program's own lines are of one family; its server's access lines may have a format that many share."""
    if new.kind == old.kind or (new.family == old.family and new.is_access is not old.is_access):
        return True
    return all(is_embedded(half.family) or (half.is_access and has_shared_format(half.family)) for half in (new, old))


def likeness(new: Half, old: Half) -> int:
    """How many facts both name and agree in: of several candidates the likest is taken, and the first of equals.

    A request without a token was hardly refused for what stands in one, unless it was in another place.
    """
    pairs = (
        (new.client, old.client), (new.path, old.path), (new.method, old.method), (new.token, old.token),
        (new.thread, old.thread),
    )  # fmt: skip
    return sum(mine == theirs != "" for mine, theirs in pairs) - _is_other_token(new, old)


def _complete(new: Half, old: Half) -> bool:
    """Whether each says what the other lacks."""
    if _is_repeated(new, old):
        return False
    if new.is_access or not old.has_line:
        return reasons.agree(new.kinds, old.kinds) and _is_refused(new, old)
    if new.says_why is not old.says_why or repeats(new, old):
        return True
    return old.is_cause and not new.is_cause and not old.is_access and reasons.agree(new.kinds, old.kinds)


def _is_refused(new: Half, old: Half) -> bool:
    """A refusal answers with a refusal's status, unless both name the path: some hide a resource behind 404."""
    status = new.status if new.is_access else old.status
    is_broken = status >= 500
    if status and reasons.SIZE in new.kinds | old.kinds:
        return status in _TOO_LARGE or is_broken
    return status in _REFUSALS or is_broken or new.path == old.path != ""


def _is_repeated(new: Half, old: Half) -> bool:
    """Two access lines are two requests, and so is a statement that the other's program has made already."""
    return (new.is_access and old.is_access) or not new.shapes.isdisjoint(old.shapes)


def repeats(new: Half, old: Half) -> bool:
    """Whether one line says again what the other says last, alone or with causes that agree. A frame in common is no reason."""
    is_both = new.says_why and old.says_why
    is_again = not (new.ends.isdisjoint(old.clauses) and old.ends.isdisjoint(new.clauses))
    return is_again and (not is_both or reasons.agree(new.kinds, old.kinds))


def _differ(new: Half, old: Half) -> bool:
    """Whether both name something and not the same."""
    is_other_thread = new.program == old.program and new.thread != old.thread and new.thread != "" != old.thread
    is_other_status = bool(new.status and old.status) and new.status != old.status
    return is_other_thread or is_other_status or _is_other_id(new, old) or _is_other_request(new, old)


def _may_be_one_of_session(new: Half, old: Half) -> bool:
    return _near(new, old, NEAR_NS) and not _differ(new, old) and _complete(new, old)


def _of_requests(half: Half) -> list[str]:
    """Its ids, without its session's."""
    return [one for one in half.ids if not one.startswith(SESSION)]


def _is_other_id(new: Half, old: Half) -> bool:
    if new.ids and old.ids:
        mine, theirs = set(_of_requests(new)), set(_of_requests(old))
        return mine.isdisjoint(theirs) if mine and theirs else _sessions_differ(new, old)
    return (new.is_anonymous and bool(old.ids)) or (old.is_anonymous and bool(new.ids))


def _sessions_differ(new: Half, old: Half) -> bool:
    mine, theirs = (set(half.ids).difference(_of_requests(half)) for half in (new, old))
    return bool(mine and theirs) and mine.isdisjoint(theirs)


def _is_other_token(new: Half, old: Half) -> bool:
    return (new.has_no_token and bool(old.kinds & _IN_TOKENS)) or (old.has_no_token and bool(new.kinds & _IN_TOKENS))


def _is_other_request(new: Half, old: Half) -> bool:
    said = ((new.client, old.client), (new.token, old.token), (new.method, old.method))
    return any(mine != theirs for mine, theirs in said if mine and theirs) or not _is_path_of(new.path, old.path)


def _is_path_of(one: str, other: str) -> bool:
    """Whether two paths may be one request's: equal, one of them unknown, or one the other's template (`/orders/:id`)."""
    if one == other or not (one and other):
        return True
    mine, theirs = one.split("/", _MAX_PARTS), other.split("/", _MAX_PARTS)
    is_template = any(_is_variable(part) for part in (*mine, *theirs))
    return is_template and len(mine) == len(theirs) and all(map(_is_part_of, mine, theirs))


def _is_part_of(one: str, other: str) -> bool:
    return one == other or _is_variable(one) or _is_variable(other)


def _is_variable(part: str) -> bool:
    return part[:1] in (":", "{", "*", "<") and len(part) > 1


def _near(new: Half, old: Half, limit_ns: int) -> bool:
    return abs(new.time_ns - old.time_ns) <= limit_ns or not (new.time_known and old.time_known)
