-- From format 2 to 3: a commit that was still being written when it was applied is noticed by its size.
ALTER TABLE lakefront.synced_tables ADD COLUMN commit_bytes bigint;
UPDATE lakefront.ledger_format SET format = 3;
