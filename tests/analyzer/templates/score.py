"""`python -m tests.analyzer.templates.score [FOLDER]`: are messages that differ in values grouped, and no others?

FOLDER (default: the environment's WHY401_CORPUS) holds libraries.jsonl, one object a line with `raw`; without it, the
examples of the knowledge base are taken. Where a signature has a hole, its value is replaced by VARIANTS others: the
text around the holes is the true template. A template is found when a group holds all its messages and no others.
Grouping accuracy is the share of messages whose group is so (logpai/logparser logparser/utils/evaluator.py).
"""

import json
import os
import random
import re
import sys
from collections import defaultdict
from pathlib import Path

from analyzer.knowledge.match import shipped
from analyzer.knowledge.signatures import INNER, signatures
from analyzer.templates import MAX_MESSAGES, Message, mine
from analyzer.templates.mine import MAX_LENGTH
from analyzer.templates.value_forms import shape, template_id
from analyzer.templates.variable_words import is_vocabulary
from collector.redaction import safe_text

VARIANTS = 8
_NUMBER = re.compile(r"\b[0-9][0-9A-F]*\b")
FRAME = 0.5  # a signature less certain is a frame around other words
NAMES = ("amber", "birch", "cedar", "daisy", "elder", "fig", "grape", "hazel", "iris", "jasmine", "kale", "lily")
CLAIMS = ("tenant", "department", "groups", "plan", "region", "device_id", "https://acme.example/roles", "locale")
ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "ES256", "ES384", "PS256", "EdDSA", "none")


def labelled(texts, chance):
    """(redacted message, its true template, its code): VARIANTS of each text that has values, each other text once."""
    found, codes = {}, {}
    for raw, code in sorted(set(texts)):
        holes = _holes(raw)
        cuts = [0, *(at for _, *span in holes for at in span), len(raw)]
        around = [raw[low:high] for low, high in zip(cuts[::2], cuts[1::2], strict=True)]
        truth = _NUMBER.sub("#", "\0".join(around))  # what a run left in the words around: times, addresses
        variants = {_filled(raw, around, holes, chance) for _ in range(VARIANTS)}
        if len(variants) > len(found.get(truth, ())):  # one text stands for all of its template
            found[truth], codes[truth] = variants, code
    return [
        (safe_text(text, MAX_LENGTH), truth, codes[truth])
        for truth, texts in sorted(found.items())
        for text in sorted(texts)
    ]


def _holes(text):
    """(name, start, end) of the values that the most specific signature finds, left to right."""
    hits = [hit for hit in shipped()._hits(text) if hit.signature.certainty >= FRAME and hit.holes]
    if not hits:
        return []
    hit = max(hits, key=lambda hit: hit.template.size)
    named = zip(hit.template.holes, hit.holes, strict=True)
    return [(name, *span) for (name, _), span in named if name != INNER and span[0] < span[1]]


def _filled(raw, around, holes, chance):
    values = [_another(name, raw[low:high], chance) for name, low, high in holes]
    return "".join(piece for pair in zip(around, [*values, ""], strict=True) for piece in pair)


def _another(name, value, chance):
    """A value of the same form; what is prose, a type's or a class's name or punctuation stays."""
    if value.lstrip("-").isdigit():
        return str(chance.randrange(1, 10 ** len(value.lstrip("-")) + 1))
    if "://" in value and not any(map(str.isspace, value)):
        return f"https://{chance.choice(NAMES)}.example/{chance.choice(NAMES)}{chance.choice(('', '/', '/v2'))}"
    if value in ALGORITHMS:
        return chance.choice(ALGORITHMS)
    if value.islower() and value.replace("_", "").isalpha():
        pool = CLAIMS if name in ("claim", "field", "key", "name") else () if is_vocabulary(value) else NAMES
        return chance.choice(pool or (value,))
    if any(map(str.isdigit, value)) and all(char.isalnum() or char in "-_" for char in value):
        return chance.choice((f"{chance.choice(NAMES)}-{chance.randrange(100)}", f"{chance.getrandbits(64):016x}"))
    return value


def drawn(templates, chance):
    """As many whole templates as the miner takes, their messages shuffled."""
    chance.shuffle(templates)
    cases = []
    for more in templates:
        if len(cases) + len(more) <= MAX_MESSAGES:
            cases += more
    chance.shuffle(cases)
    return cases


def score(cases, group):
    """What a function from texts to their groups makes of the cases, in words."""
    by_truth, by_group, codes = defaultdict(set), defaultdict(set), defaultdict(set)
    for (text, truth, code), name in zip(cases, group([text for text, _, _ in cases]), strict=True):
        by_truth[truth].add(text)
        by_group[name].add(text)
        codes[name].add(code)
    right = [texts for texts in by_group.values() if texts in by_truth.values()]
    mixed = sum(len(texts) for name, texts in by_group.items() if len(codes[name]) > 1)
    return (
        f"{sum(map(len, right)) / len(cases):6.1%} of messages; {len(by_group)} templates, {len(by_truth)} true, "
        f"{len(right)} right; {mixed / len(cases):.1%} of messages beside another code's"
    )


def ours(texts):
    """The id of each text's template."""
    by_id = {name: template.id for template in mine(Message(text) for text in texts) for name in template.ids}
    return [by_id[template_id(shape(text))] for text in texts]


def drain(texts, similarity, masks=False):
    """What drain3 makes of them, when it is installed; with our values masked first, on request."""
    from drain3 import TemplateMiner
    from drain3.template_miner_config import TemplateMinerConfig

    config = TemplateMinerConfig()
    config.drain_sim_th = similarity
    miner = TemplateMiner(config=config)
    read = [shape(text) if masks else text for text in texts]
    return [miner.add_log_message(text.replace("\n", " "))["cluster_id"] for text in read]


def corpus(folder):
    """(message, code) of libraries.jsonl, or of the knowledge base's own examples."""
    path = Path(folder, "libraries.jsonl")
    if folder and path.is_file():
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [(row["raw"], row["codes"][0]) for row in rows]
    return [(example, signature.code) for signature in signatures() for example in signature.examples]


def main(arguments):
    folder = next(iter(arguments), os.environ.get("WHY401_CORPUS", ""))
    everything = labelled(corpus(folder), random.Random(401))
    by_truth = defaultdict(list)
    for case in everything:
        by_truth[case[1]].append(case)
    with_values = [cases for cases in by_truth.values() if len(cases) > 1]
    runs = {"why401": ours}
    try:
        import drain3  # noqa: F401

        runs |= {
            f"drain3 {similarity}{' + our values' if masks else ''}": lambda texts, s=similarity, m=masks: drain(
                texts, s, m
            )
            for similarity in (0.4, 0.7, 0.9)
            for masks in (False, True)
        }
    except ImportError:
        pass
    for title, templates in (("messages with values", with_values), ("all messages", list(by_truth.values()))):
        chosen = drawn(templates, random.Random(7))
        print(f"{title}: {len(chosen)}")
        for name, group in runs.items():
            print(f"  {name:<26} {score(chosen, group)}")


if __name__ == "__main__":
    main(sys.argv[1:])
