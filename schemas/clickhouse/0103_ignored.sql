-- Events, and parts of events, that are kept and do not count because of who sent them, so that the offices concerned
-- can see them and say otherwise. Refreshed with the current ledger.
CREATE TABLE IF NOT EXISTS ignored_rows
(
    source String COMMENT '来源: source of the event',
    id String COMMENT '编号: id of the event',
    stream_seq UInt64 COMMENT '流序号: of the event',
    type LowCardinality(String) COMMENT '事件类型: type of the event',
    project_id String COMMENT '项目编号: the project it speaks of',
    district LowCardinality(String) COMMENT '报送单位: district code of the sender',
    part LowCardinality(String) COMMENT '部分: event, approval, move or annual_plan',
    foreign_event Bool COMMENT '不属本单位: the whole event does not count',
    reason String COMMENT '原因: why it does not count',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S at which this was judged',
    removed Bool COMMENT '不再忽略: it counts now, or was revoked'
)
ENGINE = ReplacingMergeTree(known_seq)
ORDER BY (source, id, part, reason)
COMMENT '未采用事项明细: rows of ignored_events';

CREATE VIEW IF NOT EXISTS ignored_events
(
    source String COMMENT '来源: source of the event',
    id String COMMENT '编号: id of the event',
    stream_seq UInt64 COMMENT '流序号: of the event',
    type String COMMENT '事件类型: type of the event',
    project_id String COMMENT '项目编号: the project it speaks of',
    district String COMMENT '报送单位: district code of the sender',
    part String COMMENT '部分: event, approval, move or annual_plan',
    foreign_event Bool COMMENT '不属本单位: the whole event does not count',
    reason String COMMENT '原因: why it does not count',
    known_seq UInt64 COMMENT '已知序号: the stream sequence S at which this was judged'
)
AS SELECT source, id, stream_seq, type, project_id, district, part, foreign_event, reason, known_seq
FROM ignored_rows FINAL
WHERE NOT removed
COMMENT '未采用事项: events that do not count because of who sent them';
