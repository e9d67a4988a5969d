"""Makes the learned reader: `python -m benchmarks.training` writes analyzer/knowledge/learned.bin and opinion.toml.

Texts are the examples of every knowledge file, the titles of the codes, the messages of libraries without signatures,
invented sentences (sentences.toml), and a labelled corpus where this machine has one. The weights are those of a ridge
regression on n-grams: its solution without any one family of products follows from a single inverse (Rifkin and Lippert
2007), so everything that is fitted on top of it, and everything that is reported, is of families that were left out.
"""
