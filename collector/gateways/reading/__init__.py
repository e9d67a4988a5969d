"""What gateway parsers share: scanners, times, fields of JSON records, what a sentence is about."""
