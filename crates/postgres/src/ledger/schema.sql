-- The ledger: what Lakefront keeps about its synced tables, beside them in the same database,
-- so that data and checkpoint can move in one transaction.
CREATE SCHEMA IF NOT EXISTS lakefront;

CREATE TABLE lakefront.synced_tables (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE,
    schema_name     text NOT NULL,
    table_name      text NOT NULL,
    spec            jsonb NOT NULL,
    location        text NOT NULL,
    source_table_id text,
    source_schema   jsonb,
    source_comment  text,
    source_feed     boolean NOT NULL DEFAULT false,
    kept_columns    text[] NOT NULL DEFAULT '{}',
    source_version  bigint,
    version         bigint,
    commit_bytes    bigint,
    committed_at    timestamptz,
    synced_at       timestamptz,
    row_count       bigint,
    quarantined     bigint NOT NULL DEFAULT 0,
    state           text NOT NULL DEFAULT 'SYNCED_TABLE_PROVISIONING',
    condition       text,
    message         text,
    epoch           bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (schema_name, table_name)
);
COMMENT ON TABLE lakefront.synced_tables IS 'Synced tables and their checkpoints; written by Lakefront only';
COMMENT ON COLUMN lakefront.synced_tables.version IS 'the checkpoint: the last Delta version applied';
COMMENT ON COLUMN lakefront.synced_tables.commit_bytes IS 'size of the file of that version''s commit, which tells when it is written again';
COMMENT ON COLUMN lakefront.synced_tables.kept_columns IS 'columns that the source no longer has, kept while something depends on them';
COMMENT ON COLUMN lakefront.synced_tables.epoch IS 'raised by each process that takes the table over; only the holder of the newest may move the checkpoint';

CREATE TABLE lakefront.updates (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_id     bigint NOT NULL REFERENCES lakefront.synced_tables ON DELETE CASCADE,
    refresh      text,
    reason       text,
    from_version bigint,
    version      bigint,
    started_at   timestamptz NOT NULL DEFAULT now(),
    ended_at     timestamptz,
    inserted     bigint,
    updated      bigint,
    deleted      bigint,
    quarantined  bigint,
    bytes        bigint,
    condition    text,
    message      text
);
CREATE INDEX ON lakefront.updates (table_id, id);
COMMENT ON TABLE lakefront.updates IS 'One row for each run that had something to do';

CREATE TABLE lakefront.quarantine (
    table_id     bigint NOT NULL REFERENCES lakefront.synced_tables ON DELETE CASCADE,
    version      bigint NOT NULL,
    reason       text NOT NULL,
    column_name  text,
    key          text,
    source_row   text,
    noticed_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON lakefront.quarantine (table_id);
COMMENT ON TABLE lakefront.quarantine IS 'Source rows that policy set aside, with key and reason';

CREATE VIEW lakefront.freshness AS
    SELECT schema_name, table_name, spec->>'source' AS source, version, committed_at, synced_at, state
    FROM lakefront.synced_tables;
COMMENT ON VIEW lakefront.freshness IS 'How fresh each synced table is; readable by everybody';

CREATE TABLE lakefront.ledger_format (format integer NOT NULL);
INSERT INTO lakefront.ledger_format VALUES (3);
GRANT USAGE ON SCHEMA lakefront TO PUBLIC;
GRANT SELECT ON lakefront.freshness TO PUBLIC;
