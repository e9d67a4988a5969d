-- A row that comes and goes: DuckLake keeps statistics of a table from its first row on. Of a table that never had one it
-- looks them up anew with every statement, for 20 to 100 ms (1.5.5), and the page's statements read most of these.
INSERT INTO store.notes (group_id) VALUES ('');
DELETE FROM store.notes WHERE group_id = '';
INSERT INTO store.alerts (alert_id) VALUES ('');
DELETE FROM store.alerts WHERE alert_id = '';
INSERT INTO store.offsets (topic) VALUES ('');
DELETE FROM store.offsets WHERE topic = '';
INSERT INTO store.watermarks (topic) VALUES ('');
DELETE FROM store.watermarks WHERE topic = '';
INSERT INTO store.files (path) VALUES ('');
DELETE FROM store.files WHERE path = '';
