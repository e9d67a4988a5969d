-- What was expected and what came, and versions of the caller. Altered, not made anew as in 0002_epochs.sql: there may be a hundred million events.
-- A writer of an earlier release goes on meanwhile, and leaves them NULL.
ALTER TABLE store.events ADD COLUMN expected VARCHAR;
ALTER TABLE store.events ADD COLUMN received VARCHAR;
ALTER TABLE store.events ADD COLUMN missing_scope VARCHAR;
ALTER TABLE store.events ADD COLUMN client_version VARCHAR;
ALTER TABLE store.events ADD COLUMN user_agent_version VARCHAR;
