"""How many of the messages that a product's source can write does the knowledge base know? (docs/coverage.md)"""
