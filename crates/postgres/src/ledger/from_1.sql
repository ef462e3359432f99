-- From format 1 to 2: incremental refresh asks what the checkpoint's version said of change data feed, and which columns
-- of the copy wait to be dropped.
ALTER TABLE lakefront.synced_tables
    ADD COLUMN source_feed boolean NOT NULL DEFAULT false,
    ADD COLUMN kept_columns text[] NOT NULL DEFAULT '{}';
UPDATE lakefront.ledger_format SET format = 2;
