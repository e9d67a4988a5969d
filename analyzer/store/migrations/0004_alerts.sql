-- What was said about what is wrong, and to whom: steps that are only ever appended (analyzer/alerts/ledger.py), and silences.
CREATE TABLE store.alerts (
    alert_id VARCHAR, noted_at TIMESTAMPTZ, step VARCHAR, rule VARCHAR, subject VARCHAR, severity VARCHAR,
    since TIMESTAMPTZ, title VARCHAR, says VARCHAR, link VARCHAR, groups VARCHAR[],
    phase VARCHAR, channel VARCHAR, until TIMESTAMPTZ, author VARCHAR
);
