-- What people did about dead letters (退件处置). Actions are appended and never changed; a dead letter with an action is
-- closed, one without is open. The table is not made from the stream, and a replay leaves it as it is.
CREATE TABLE IF NOT EXISTS dead_letter_actions
(
    stream_seq UInt64 COMMENT '退件流序号: of the dead letter',
    action LowCardinality(String) COMMENT '处置: resent or discarded',
    reason String COMMENT '理由: why it was discarded; empty when it was resent',
    actor String COMMENT '操作者: who did it',
    at DateTime64(3, 'Asia/Shanghai') COMMENT '处置时间: when it was done',
    new_seq UInt64 COMMENT '新流序号: of the event that was sent instead; 0 when it was discarded'
)
ENGINE = MergeTree
ORDER BY (stream_seq, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT '退件处置: what was done about dead letters';
