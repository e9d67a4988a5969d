"""What gateways expect of tokens, read from their own configurations: `read` the files, `joined.entries`, `toml_text.issuers_text`."""
