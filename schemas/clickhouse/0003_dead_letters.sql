-- The dead letters (退件): messages of the stream that are no acceptable event. Keyed by their sequence, so that one
-- that is delivered again is listed once; read with FINAL to be exact in the moment of such a second delivery.
CREATE TABLE IF NOT EXISTS dead_letters
(
    stream_seq UInt64 COMMENT '流序号: place on the stream',
    recorded_at DateTime64(9, 'Asia/Shanghai') COMMENT '入流时间: when the stream took it',
    subject String COMMENT '主题: the stream''s subject it was published on',
    actor String COMMENT '操作者: who sent it, as the producer or the stream knows',
    code LowCardinality(String) COMMENT '原因代码: malformed, invalid, unknown, too_large or foreign',
    field String COMMENT '字段: what is wrong, a path such as data.month; empty when the whole message is',
    value String COMMENT '值: what was there, shortened',
    reason String COMMENT '原因: why it cannot be accepted',
    hint String COMMENT '建议: what would be right',
    raw String COMMENT '原文: the message''s bytes, perhaps no text at all, cut at 256 KiB' CODEC(ZSTD(3)),
    raw_bytes UInt64 COMMENT '原文字节数: size of the whole message'
)
ENGINE = ReplacingMergeTree
ORDER BY stream_seq
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '退件: messages of the stream that cannot be accepted';
