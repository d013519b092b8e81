-- A conflict is a delivery under a used identity with other content (the specification, §4): it is ignored, kept and
-- counted, once for each identity and other content.

-- The deliveries of identities that were used for more than one content, the one that counts included: a small copy out
-- of deliveries. Which of them is the conflict is not written down but follows from the sequences, so that a delivery
-- that arrives late, or twice, or out of order can only add to what is known here and never make it wrong.
CREATE TABLE IF NOT EXISTS contested
(
    source String COMMENT '来源: source of the event',
    id String COMMENT '编号: id of the event',
    event_id String ALIAS concat(source, ' ', id) COMMENT '事件标识: source and id together',
    fingerprint FixedString(16) COMMENT '指纹: hash of the whole event as parsed JSON',
    stream_seq UInt64 COMMENT '流序号: of the first delivery with this content',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took it',
    type LowCardinality(String) COMMENT '事件类型: such as progress.reported.v1',
    project_id String COMMENT '项目编号: CloudEvents subject',
    district LowCardinality(String) COMMENT '报送单位: code of the sender''s district',
    actor String COMMENT '操作者: who sent it, as the producer or the stream knows',
    event String COMMENT '事件原文: JSON text of the whole event, as sent' CODEC(ZSTD(3)),
    precedence UInt64 MATERIALIZED bitNot(stream_seq) COMMENT '优先级: greater for a lower stream sequence'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (source, id, fingerprint)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '争议标识的投递: all deliveries of identities with more than one content';

-- The conflicts known at a sequence S are those with stream_seq <= S: the delivery that counts has the lowest sequence
-- of all, so that it is known at S whenever one of its conflicts is.
CREATE OR REPLACE VIEW conflicts
(
    event_id String COMMENT '事件标识: the identity that was used before',
    source String COMMENT '来源: source of the event',
    id String COMMENT '编号: id of the event',
    fingerprint FixedString(16) COMMENT '指纹: of the other content',
    stream_seq UInt64 COMMENT '流序号: of the first delivery of the other content',
    counted_seq UInt64 COMMENT '有效流序号: of the delivery that counts instead',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took it',
    type String COMMENT '事件类型: such as progress.reported.v1',
    project_id String COMMENT '项目编号: CloudEvents subject',
    district String COMMENT '报送单位: code of the sender''s district',
    actor String COMMENT '操作者: who sent it, as the producer or the stream knows',
    event String COMMENT '事件原文: JSON text of the ignored event, as sent'
)
AS SELECT
    concat(source, ' ', id) AS event_id, source, id, fingerprint, stream_seq,
    min(stream_seq) OVER (PARTITION BY source, id) AS counted_seq,
    recorded_at, type, project_id, district, actor, event
FROM contested FINAL
QUALIFY stream_seq > counted_seq
COMMENT '冲突: later deliveries of a used identity with other content';
