-- What was delivered, without its text: the stream keeps every message, and can be asked for the few that a conflict is
-- made of. One row for each content that was ever delivered under an identity, with the lowest sequence that carried it.
-- The merges of events drop what does not count; here nothing is lost, so that whoever looks last sees all contents of an
-- identity, in whatever order and by however many writers they were stored. It takes the place of deliveries.
CREATE TABLE IF NOT EXISTS contents
(
    identity FixedString(16) COMMENT '标识散列: first half of the SHA-256 of event_id',
    fingerprint FixedString(16) COMMENT '指纹: hash of the whole event as parsed JSON',
    stream_seq UInt64 COMMENT '流序号: of the first delivery with this content',
    precedence UInt64 MATERIALIZED bitNot(stream_seq) COMMENT '优先级: greater for a lower stream sequence'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (identity, fingerprint)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '投递内容: every distinct content that was delivered, by its hash';

INSERT INTO contents (identity, fingerprint, stream_seq) SELECT identity, fingerprint, stream_seq FROM deliveries;

-- While a backlog is worked off nobody looks for conflicts batch by batch: the batch leaves a row that says that a check
-- is owed. A check of everything, done when the backlog is gone or when somebody reads, leaves one that says how far it is
-- done. Conflicts are complete up to a sequence when no check is owed for it behind the last one that was done.
CREATE TABLE IF NOT EXISTS conflict_checks
(
    stream_seq UInt64 COMMENT '流序号: the last of a batch that is owed a check, or that a check includes',
    kind Enum8('owed' = 1, 'done' = 2) COMMENT '类别: owed or done',
    recorded_at DateTime64(3, 'Asia/Shanghai') COMMENT '记录时间'
)
ENGINE = MergeTree
ORDER BY (kind, stream_seq)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '冲突核对: how far conflicts are complete';
