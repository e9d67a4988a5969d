"""Redaction in numbers: speed and recall beside common tools, a generator of lines, and the training of the lexicon."""
