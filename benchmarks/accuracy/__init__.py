"""How often is the answer right, and how true is its confidence? `python -m benchmarks.accuracy [CORPUS] [--write] [--fit] [--quick]`

- **sample**: labelled records and library messages of a corpus folder (`gateways.jsonl`, `libraries.jsonl`; default
  ../shared/corpus). The rules were written with them in view.
- **leave one product out**: the library messages again, each answered without anything that is known of its product and of
  the products that wrap or quote it: no signature of theirs, no message of theirs in what the learned reader was trained on.
- **public cases**: incidents that people posted (`public.jsonl`), with the configuration that was posted with them.
- **live**: a real Envoy, every other gateway that this machine can run, and JWT libraries, which refuse requests whose
  fault is known; with the token in the log and without, with the operator's configuration and without. Services' answers
  that were kept (tests/fixtures/answers) are asked about in the same ways.

A case is right when its code is one of the accepted ones. Of a message alone that is what its words say; of a refusal it is
the fault, which words often do not tell: where the log shows no token, such a code has a confidence under 0.8, and
more of the messages are right than their confidence promises.

`--write` puts the tables into docs/accuracy.md; `--fit` fits analyzer/knowledge/confidence.toml to the answers; `--quick`
leaves out what is live.
"""
