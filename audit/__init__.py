"""What we ship, looked over: known vulnerabilities, licences, suspicious code. `make audit`; docs/decisions/0015."""
