"""Messages about what is wrong: what is worth one (watching), what was said already (ledger), and how it arrives (channels, courier)."""
