-- The events that count, and everything that was delivered.
--
-- Neither table is partitioned. A batch is then one part, which appears at once or not at all, and a lookup by identity
-- reads one set of parts; besides, an event's business date may be missing, and what is kept for years is small (some
-- hundred bytes an event).
--
-- Durability: fsync_after_insert and fsync_part_directory make a part reach the disk before its INSERT is answered, and
-- the writer sends async_insert = 0; so what is acknowledged to the stream survives a loss of power.

-- One row for each identity (source, id): when an identity was delivered more than once, the delivery with the lowest
-- stream sequence counts. ReplacingMergeTree keeps the greatest version, hence the precedence. Read it with FINAL.
CREATE TABLE IF NOT EXISTS events
(
    source String COMMENT '来源: CloudEvents source, a URI reference such as /offices/shanyang',
    id String COMMENT '编号: CloudEvents id, unique within its source',
    event_id String ALIAS concat(source, ' ', id) COMMENT '事件标识: source and id together, unique',
    type LowCardinality(String) COMMENT '事件类型: such as progress.reported.v1',
    project_id String COMMENT '项目编号: CloudEvents subject; _office where no project is meant',
    district LowCardinality(String) COMMENT '报送单位: code of the sender''s district, city for the city office',
    business_date Nullable(Date32) COMMENT '业务日期: the day that the event is about; NULL for types without one',
    occurred_at DateTime64(3, 'Asia/Shanghai') COMMENT '发生时间: CloudEvents time, as the sender says',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took it',
    stream_seq UInt64 COMMENT '流序号: the order in which the stream took it; what is known is told by it',
    actor String COMMENT '操作者: who sent it, as the producer or the stream knows',
    data String COMMENT '内容: JSON text of the member data, as sent' CODEC(ZSTD(3)),
    fact String COMMENT '判定要素: packed form of data that the ledger reads; made from data' CODEC(ZSTD(1)),
    extensions String COMMENT '扩展属性: JSON object of attributes beyond those of the contract, else empty' CODEC(ZSTD(3)),
    fingerprint FixedString(16) COMMENT '指纹: hash of the whole event as parsed JSON',
    precedence UInt64 MATERIALIZED bitNot(stream_seq) COMMENT '优先级: greater for a lower stream sequence'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (source, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '事件: every event that counts, once';

-- One row for each content that was ever delivered under an identity, with the lowest sequence that carried it. The
-- merges of events drop what does not count; here nothing is lost, so that whoever looks last sees all contents of an
-- identity, in whatever order and by however many writers they were stored. The text is the event as it was sent.
CREATE TABLE IF NOT EXISTS deliveries
(
    identity FixedString(16) COMMENT '标识散列: first half of the SHA-256 of event_id',
    fingerprint FixedString(16) COMMENT '指纹: hash of the whole event as parsed JSON',
    source String COMMENT '来源: source of the event',
    id String COMMENT '编号: id of the event',
    event_id String ALIAS concat(source, ' ', id) COMMENT '事件标识: source and id together',
    type LowCardinality(String) COMMENT '事件类型: such as progress.reported.v1',
    project_id String COMMENT '项目编号: CloudEvents subject',
    district LowCardinality(String) COMMENT '报送单位: code of the sender''s district',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took it',
    stream_seq UInt64 COMMENT '流序号: of the first delivery with this content',
    actor String COMMENT '操作者: who sent it, as the producer or the stream knows',
    event String COMMENT '事件原文: JSON text of the whole event, as sent' CODEC(ZSTD(3)),
    precedence UInt64 MATERIALIZED bitNot(stream_seq) COMMENT '优先级: greater for a lower stream sequence'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (identity, fingerprint)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '投递: every distinct content that was delivered, as sent';
